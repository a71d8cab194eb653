import { execFile } from 'node:child_process'
import { chmodSync, mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { VARIABLE_NAMES } from '../src/runtime/environment.ts'
import { EmbeddedNodeRedTcp } from '../src/testing/embedded-node-red-tcp.ts'
import { freePort } from '../src/testing/free-port.ts'

const home = dirname(import.meta.dirname)
const main = join(home, 'dist', 'src', 'runtime', 'main.js')

type Ended = { code: number; output: string; dataDir: string }

/** Starts the distribution with an environment that it must refuse, and waits for its end. */
async function startRefused(environment: Record<string, string>): Promise<Ended> {
  const dataDir = environment.DATA_DIR ?? join(mkdtempSync(join(tmpdir(), 'node-red-tcp-')), 'data')
  const env = { PATH: process.env.PATH, DATA_DIR: dataDir, ...environment }
  return await new Promise((resolve) => {
    execFile(process.execPath, [main], { env, timeout: 20_000 }, (error, stdout, stderr) => {
      resolve({ code: Number(error?.code ?? 0), output: stdout + stderr, dataDir })
    })
  })
}

const refused: [name: string, value: string, allowed: string][] = [
  ['EDITOR_PORT', '70000', 'a port number from 0 to 65535'],
  ['EDITOR_PORT', 'abc', 'a port number from 0 to 65535'],
  ['STATUS_PORT', '-1', 'a port number from 0 to 65535'],
  ['EDITOR_BIND', 'localhost', 'an IP address of this machine'],
  ['STATUS_BIND', '1.2.3', 'an IP address of this machine'],
  ['TCP_BIND', '0', 'an IP address of this machine'],
  ['TCP_PORTS', '9519-9500', 'a range from low to high within 1-65535'],
  ['TCP_PORTS', '9500,9501', 'a port range such as 9500-9519, or one port'],
  ['PUBLISHED_PORTS', '9500-9519', 'unknown, or address and ports such as 0.0.0.0:9500-9519'],
  ['PUBLISHED_PORTS', '0.0.0.0:9519-9500', 'unknown, or address and ports such as 0.0.0.0:9500-9519'],
  ['SCENARIOS', 'tcp-in-server,nothing', 'all, none, or some of tcp-in-server, tcp-in-client,'],
  ['TCP_IN_SERVER_PORT', '0', 'a port number from 1 to 65535'],
  ['TCP_OUT_SERVER_PORT', '9502x', 'a port number from 1 to 65535'],
  ['TCP_RESPONSE_PORT', '1e3', 'a port number from 1 to 65535'],
  ['TCP_IN_CLIENT_PORT', '65536', 'a port number from 1 to 65535'],
  ['TCP_OUT_CLIENT_PORT', ' ', 'a port number from 1 to 65535'],
  ['ASSISTANT_HOST', 'http://host', 'a host name or an IP address'],
  ['ASSISTANT', 'off', 'one of true, false'],
  ['ASSISTANT_TARGETS', '10.0.0.0/8:99-1', 'addresses and networks, with ports'],
  ['ASSISTANT_TARGETS', 'example.com', 'addresses and networks, with ports'],
  ['ASSISTANT_ENDPOINTS', '0', 'a whole number from 1'],
  ['ASSISTANT_LOG_BYTES', '16M', 'a whole number from 1'],
  ['LOG_LEVEL', 'verbose', 'one of fatal, error, warn, info, debug, trace'],
  ['LOG_FORMAT', 'xml', 'one of text, json'],
  ['TZ', 'Mars/Olympus', 'an IANA time zone'],
  ['HTTP_ADMIN_ROOT', 'admin', 'a path that starts with /'],
  ['HTTP_IN_LOGIN', 'yes', 'one of true, false'],
  ['HTTP_OPEN_PATHS', 'worldmap', 'paths that start with /, such as /worldmap,/mqtt'],
  ['HTTP_OPEN_PATHS', '/', 'paths that start with /'],
  ['HTTP_MAX_CONNECTIONS', '9', 'a whole number from 10'],
  ['TRUSTED_PROXIES', 'proxy.local', 'addresses and networks such as 10.0.0.0/8'],
  ['STATUS_HOSTS', 'http://monitor', 'host names such as monitoring.example, separated by commas'],
  ['PALETTE_INSTALL', '1', 'one of true, false'],
  ['FUNCTION_EXTERNAL_MODULES', 'on', 'one of true, false'],
  ['NODE_RED_CREDENTIAL_RESET', 'please', 'one of true, false'],
  ['NODE_RED_ADMIN_USER', 'u'.repeat(101), 'at most 100 characters'],
  ['TLS_CERT_FILE', '/nowhere/cert.pem', 'a file that this process can read'],
  ['TLS_KEY_FILE', '/nowhere/key.pem', 'a file that this process can read'],
]

describe('refuses', () => {
  // A start tells all mistakes at once, so that one is enough for many names.
  const starts: Promise<Ended>[] = []
  const startOf = (row: (typeof refused)[number]): Promise<Ended> => {
    const nth = (of: (typeof refused)[number]) => refused.filter(([name], index) => name === of[0] && index < refused.indexOf(of)).length
    const together = refused.filter((other) => nth(other) === nth(row))
    return (starts[nth(row)] ??= startRefused(Object.fromEntries(together.map(([name, value]) => [name, value]))))
  }

  test.each(refused)('%s=%s', async (...row) => {
    const [name, value, allowed] = row
    const { code, output } = await startOf(refused.find((other) => other[0] === name && other[1] === value)!)
    expect(code).toBe(1)
    const line = output.split('\n').find((text) => text.includes(`${name}=${value}:`))
    expect(line).toContain(allowed)
    expect(output).not.toContain('Welcome to Node-RED')
  })
})

test.each(['NODE_RED_ADMIN_PASSWORD', 'NODE_RED_CREDENTIAL_SECRET'])('refuses %s beside its file, and does not show it', async (name) => {
  const file = join(mkdtempSync(join(tmpdir(), 'node-red-tcp-')), 'secret')
  writeFileSync(file, 'from the file')
  const both = await startRefused({ [name]: 'from the variable', [`${name}_FILE`]: file })
  expect(both.code).toBe(1)
  expect(both.output).toContain(`${name} and ${name}_FILE are both set`)
  expect(both.output).not.toMatch(/from the (file|variable)/)

  const missing = await startRefused({ [`${name}_FILE`]: '/nowhere/secret' })
  expect(missing.code).toBe(1)
  expect(missing.output).toContain(`${name}_FILE=/nowhere/secret: the file cannot be read (ENOENT)`)

  const long = await startRefused({ [name]: 'hidden'.repeat(200) })
  expect(long.output).toContain(`${name}=(not shown): allowed is at most 1024 characters`)
  expect(long.output).not.toContain('hidden')
})

test('tells all mistakes at once', async () => {
  const { code, output } = await startRefused({ EDITOR_PORT: 'x', TCP_PORTS: 'y', LOG_FORMAT: 'z', TLS_CERT_FILE: '/nowhere' })
  expect(code).toBe(1)
  expect(output).toContain('4 mistakes')
  for (const mistake of ['EDITOR_PORT=x', 'TCP_PORTS=y', 'LOG_FORMAT=z', 'TLS_CERT_FILE=/nowhere']) expect(output).toContain(mistake)
})

test.each([
  [{ TLS_CERT_FILE: main }, 'TLS_CERT_FILE and TLS_KEY_FILE belong together'],
  [{ TCP_RESPONSE_PORT: '9501' }, 'TCP_RESPONSE_PORT=9501: TCP_IN_SERVER_PORT has the same port'],
  [{ EDITOR_PORT: '9502' }, 'EDITOR_PORT has the same port'],
])('refuses what does not go together: %j', async (environment, message) => {
  const { code, output } = await startRefused(environment)
  expect(code).toBe(1)
  expect(output).toContain(message)
})

test('moves the scenarios along with TCP_PORTS', async () => {
  const first = await freePort()
  await using nodeRed = await new EmbeddedNodeRedTcp()
    .withEnvironment({ TCP_PORTS: `${first}-${first + 9}`, TCP_IN_SERVER_PORT: '', TCP_OUT_SERVER_PORT: '', TCP_RESPONSE_PORT: '' })
    .start()
  await using client = await nodeRed.tcp(first + 3)
  await client.send('moved')
  await client.expect('moved')
  // Nothing that is shown names a port that is not the one in use.
  const texts = (await (await nodeRed.admin).flows()).flatMap(({ name, label, info }) =>
    [name, label, info].filter((text) => typeof text === 'string'),
  )
  expect(texts.join('\n')).not.toMatch(/950\d|\$\{/)
  expect(texts).toContain(`listen on ${first + 3}`)
})

test('SCENARIOS says which tabs there are', async () => {
  const dataDir = join(mkdtempSync(join(tmpdir(), 'node-red-tcp-')), 'data')
  const tabsWith = async (SCENARIOS: string) => {
    await using nodeRed = await new EmbeddedNodeRedTcp().withEnvironment({ SCENARIOS, DATA_DIR: dataDir }).start()
    return (await (await nodeRed.admin).flows()).filter(({ type }) => type === 'tab').map(({ label }) => label)
  }
  expect(await tabsWith('tcp-response, dashboard')).toEqual(['TCP response', 'Dashboard'])
  expect(await tabsWith('none')).toEqual([])
})

test('names uid, gid, owner and the way out when the data folder cannot be written', async () => {
  if (process.getuid?.() === 0) return void (await refusesForOthersThanRoot())
  const dataDir = mkdtempSync(join(tmpdir(), 'node-red-tcp-'))
  chmodSync(dataDir, 0o555)
  const { code, output } = await startRefused({ DATA_DIR: dataDir })
  expect(code).toBe(1)
  expect(output).toMatch(/cannot be written \(EACCES\) by uid \d+, gid \d+/)
})

// Root may write anywhere, but not below a file.
async function refusesForOthersThanRoot(): Promise<void> {
  const file = join(mkdtempSync(join(tmpdir(), 'node-red-tcp-')), 'file')
  writeFileSync(file, '')
  const { code, output } = await startRefused({ DATA_DIR: join(file, 'data') })
  expect(code).toBe(1)
  expect(output).toContain('cannot be written (ENOTDIR)')
}

test('generates a password once, keeps only its hash, and makes secrets private', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'node-red-tcp-'))
  const environment = { NODE_RED_ADMIN_PASSWORD: '', DATA_DIR: join(folder, 'data'), LOG_LEVEL: 'info' }
  await using first = await new EmbeddedNodeRedTcp().withEnvironment(environment).start()
  const password = /user admin, password (\S+)/.exec(first.log)?.[1] ?? ''
  expect(password).toMatch(/^[a-z2-9]{20}$/)
  const login = await fetch(`${first.getEditorUrl()}/auth/token`, {
    method: 'POST',
    body: new URLSearchParams({ username: 'admin', password, grant_type: 'password', client_id: 'node-red-admin' }),
  })
  expect(login.status).toBe(200)
  expect(await first.stop()).toBe(0)
  const secrets = join(environment.DATA_DIR, '.secrets')
  for (const file of readdirSync(secrets)) {
    expect(statSync(join(secrets, file)).mode & 0o777).toBe(0o600)
    expect(readFileSync(join(secrets, file), 'utf8')).not.toContain(password)
  }
  await using second = await new EmbeddedNodeRedTcp().withEnvironment(environment).start()
  expect(second.log).not.toContain('password')
})

test.each([
  ['x', 'NODE_RED_ADMIN_PASSWORD has 1 character:'],
  ['seven77', 'NODE_RED_ADMIN_PASSWORD has 7 characters:'],
  ['administrator', 'NODE_RED_ADMIN_PASSWORD is the user name:'],
])('starts with a password that is easy to guess, and says so in the log alone: %s', async (password, line) => {
  await using nodeRed = await new EmbeddedNodeRedTcp()
    .withAdminPassword(password)
    .withEnvironment({ NODE_RED_ADMIN_USER: 'administrator' })
    .start()
  expect(nodeRed.log).toContain(line)
  expect(await (await fetch(`${nodeRed.getStatusUrl()}/readyz`)).text()).not.toMatch(/password/i)
})

test('says nothing about a password of eight characters', async () => {
  await using nodeRed = await new EmbeddedNodeRedTcp().withAdminPassword('eight-88').start()
  expect(nodeRed.log).not.toContain('NODE_RED_ADMIN_PASSWORD')
})

test('writes one JSON object a line when asked to', async () => {
  await using nodeRed = await new EmbeddedNodeRedTcp().withEnvironment({ LOG_FORMAT: 'json', NODE_RED_ADMIN_PASSWORD: '' }).start()
  const lines = nodeRed.log.trim().split('\n')
  expect(lines.length).toBeGreaterThan(10)
  for (const line of lines) {
    expect(JSON.parse(line)).toMatchObject({
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      level: expect.any(String),
      msg: expect.anything(),
    })
  }
  const listening = lines.map((line) => JSON.parse(line) as Record<string, string>).find(({ name }) => /^listen on \d+$/.test(name ?? ''))
  expect(listening).toMatchObject({ type: 'tcp in', id: expect.any(String) })
})

test('the configuration pages and .env.example name every variable', () => {
  const inside = ['DATA_DIR', 'FLOWS_DIR', 'STATUS_BIND', 'PUBLISHED_PORTS']
  const english = readFileSync(join(home, 'docs', 'configuration.md'), 'utf8')
  const chinese = readFileSync(join(home, 'docs', 'configuration.zh-CN.md'), 'utf8')
  const example = readFileSync(join(home, '.env.example'), 'utf8')
  for (const name of VARIABLE_NAMES) {
    expect.soft(english, name).toContain(`\`${name}\``)
    expect.soft(chinese, name).toContain(`\`${name}\``)
    if (!inside.includes(name)) expect.soft(example, name).toContain(`${name}=`)
  }
})
