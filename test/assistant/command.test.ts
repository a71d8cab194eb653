import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { TEXTS_ZH } from '../../src/assistant/command/texts-zh.ts'
import { TEXTS } from '../../src/assistant/command/texts.ts'
import { createAuthority } from '../../src/testing/certificates.ts'
import { docker } from '../support/containers.ts'
import { freePort } from '../../src/testing/free-port.ts'
import { describeContainer, newContainer } from '../support/runtimes.ts'
import { assist, Assistant } from './support/command.ts'

const run = promisify(execFile)
const ALL_BYTES = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))

/** A peer that does this with what it gets; closed with the test. */
async function listen(answer: (socket: Socket, chunk: Buffer) => void, onConnect: (socket: Socket) => void = () => {}) {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('data', (chunk) => answer(socket, chunk))
    onConnect(socket)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    port,
    target: `127.0.0.1:${port}`,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

const echo = () => listen((socket, chunk) => void socket.write(chunk))

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
}

describe('connect in a pipe', () => {
  test('passes every byte on, both ways', async () => {
    await using peer = await echo()
    const bytes = Buffer.concat(Array.from({ length: 4096 }, () => ALL_BYTES))
    const { code, stdout, stderr } = await assist(['connect', peer.target], bytes)
    expect({ code, stderr, same: stdout.equals(bytes) }).toEqual({ code: 0, stderr: '', same: true })
  })

  test('does not end before a reply that takes its time', async () => {
    await using peer = await listen((socket) => setTimeout(() => socket.write('late'), 1_500))
    const { code, stdout } = await assist(['connect', peer.target, '--send', 'W?', '--expect', 'late'])
    expect([code, stdout.toString()]).toEqual([0, 'late'])
  })

  test('ends at once with what is expected, though the peer stays', async () => {
    await using peer = await echo()
    const started = performance.now()
    expect((await assist(['connect', peer.target, '--send', 'abc', '--until', 'c', '--for', '30'])).code).toBe(0)
    expect(performance.now() - started).toBeLessThan(10_000)
  })

  test.each([
    ['--expect', 'nope', '"nope" did not come within 0.3 s'],
    ['--expect-hex', 'FF ??', 'HEX FF ?? did not come within 0.3 s'],
    ['--expect-regex', '^x\\d', '/^x\\d/ did not come within 0.3 s'],
  ])('%s %s: exit code 1 and what is missing', async (flag, wanted, message) => {
    await using peer = await echo()
    const { code, stderr } = await assist(['connect', peer.target, '--send', 'abc', flag, wanted, '--for', '0.3'])
    expect(code).toBe(1)
    expect(stderr).toContain(message)
  })

  test('what was expected has not come when the peer closes', async () => {
    await using peer = await listen((socket) => void socket.end('bye'))
    const { code, stdout, stderr } = await assist(['connect', peer.target, '--send', 'x', '--expect', 'hello'])
    expect([code, stdout.toString()]).toEqual([1, 'bye'])
    expect(stderr).toContain('"hello" did not come before the other side closed')
  })

  test.each([
    [['--send', '01 03 00 00 00 0A', '--hex', '--checksum', 'crc16-modbus'], '010300000000'.slice(0, 4) + '0000000ac5cd'],
    [['--send', 'a\\x00\\u4e2d', '--escapes', '--ending', 'crlf'], '6100e4b8ad0d0a'],
    [['--send', '中文', '--encoding', 'gbk'], 'd6d0cec4'],
    [['--send', '{{counter:3}}', '--macros', '--every', '10', '--count', '3'], '303031303032303033'],
  ])('%j sends %s', async (args, hex) => {
    await using peer = await echo()
    const { code, stdout } = await assist(['connect', peer.target, ...args, '--expect-hex', hex])
    expect([code, stdout.toString('hex')]).toEqual([0, hex])
  })

  test('lines go through the options, and a mistake names its line and place', async () => {
    await using peer = await echo()
    expect((await assist(['connect', peer.target, '--hex'], '01 02\n0x03\n')).stdout.toString('hex')).toBe('010203')
    const wrong = await assist(['connect', peer.target, '--hex'], '01\n0q\n')
    expect(wrong).toMatchObject({ code: 1, stderr: expect.stringContaining('line 2 of the input: "q" at character 2 is no HEX') })
  })

  test('answers by rules with what they captured', async () => {
    const got = Promise.withResolvers<string>()
    await using peer = await listen(
      (_, chunk) => got.resolve(chunk.toString()),
      (socket) => void socket.write('SET gain=42'),
    )
    await using assistant = new Assistant(['connect', peer.target, '--reply', 'SET (\\w+)=(\\d+)=>OK $1 $2'])
    expect(await got.promise).toBe('OK gain 42')
    expect(assistant.child.exitCode).toBeNull()
  })
})

describe('what goes wrong says what to do', () => {
  test.each<[string[], number, RegExp]>([
    [[], 0, /^$/],
    [['frob'], 2, /unknown command "frob"; there are: connect, listen/],
    [['connect'], 2, /an address is missing; write HOST:PORT/],
    [['connect', 'x'], 2, /"x" is no address; write HOST:PORT/],
    [['connect', '127.0.0.1:1', '--checksum', 'md5'], 2, /--checksum "md5": allowed are crc16-modbus/],
    [['connect', '127.0.0.1:1', '--encoding', 'klingon'], 2, /--encoding "klingon" is not known/],
    [['connect', '127.0.0.1:1', '--export', 'log.doc'], 2, /allowed are \.txt, \.csv/],
    [['connect', '127.0.0.1:1', '--tls-ca', '/nowhere'], 2, /--tls-ca \/nowhere cannot be read/],
    [['connect', '127.0.0.1:1', '--reply', 'x'], 2, /allowed is PATTERN=>ANSWER/],
    [['connect', 'no-such-host.invalid:1', '--send', 'x'], 1, /the name no-such-host\.invalid is not known/],
    [['connect', '169.254.169.254:80', '--send', 'x'], 1, /link-local address/],
    [['run'], 2, /run needs a scenario file/],
    [['run', '/nowhere.yaml'], 2, /\/nowhere\.yaml cannot be read/],
  ])('%j', async (args, code, message) => {
    const result = await assist(args)
    expect(result.stderr).toMatch(message)
    expect(result.stderr).not.toMatch(/^\s+at /m)
    expect(result.code).toBe(code)
  })

  test('nobody listens', async () => {
    const port = await freePort()
    const { code, stderr } = await assist(['connect', `127.0.0.1:${port}`, '--send', 'x'])
    expect([code, stderr]).toEqual([1, expect.stringContaining(`nobody listens on 127.0.0.1:${port}`)])
  })

  test('the port is taken', async () => {
    await using peer = await echo()
    const { code, stderr } = await assist(['listen', String(peer.port), '--local', '127.0.0.1'])
    expect([code, stderr]).toEqual([1, expect.stringContaining(`port ${peer.port} is taken already`)])
  })

  test('a target that ASSISTANT_TARGETS does not allow', async () => {
    await using peer = await echo()
    const { code, stderr } = await assist(['connect', peer.target, '--send', 'x'], '', { ASSISTANT_TARGETS: '10.0.0.0/8' })
    expect([code, stderr]).toEqual([1, expect.stringContaining('not among the targets that ASSISTANT_TARGETS allows')])
  })
})

describe('what goes wrong', () => {
  test('is told in Chinese where the terminal is', async () => {
    const port = await freePort()
    const { stderr } = await assist(['connect', `127.0.0.1:${port}`, '--send', 'x'], '', { LANG: 'zh_CN.UTF-8' })
    expect(stderr).toContain(`127.0.0.1:${port} 没有程序在监听`)
  })

  test('has the same values in both languages, and all of them', () => {
    expect(Object.keys(TEXTS_ZH).toSorted()).toEqual(Object.keys(TEXTS).toSorted())
    const values = (text: string) => Array.from(text.matchAll(/(?<!\{)\{(\w+)\}(?!\})/g), ([, name]) => name).toSorted()
    for (const [code, text] of Object.entries(TEXTS_ZH))
      expect([code, values(text)]).toEqual([code, values(TEXTS[code as keyof typeof TEXTS_ZH] ?? '')])
  })
})

describe('over TLS', () => {
  test('a server and a client of ours trust each other’s authority, and nobody else', async () => {
    const { ca, issue } = createAuthority()
    const { cert, key } = issue('scale.test')
    const folder = mkdtempSync(join(tmpdir(), 'tls-'))
    for (const [name, content] of Object.entries({ ca, cert, key })) writeFileSync(join(folder, name), content)
    const port = await freePort()
    const files = ['--tls-cert', join(folder, 'cert'), '--tls-key', join(folder, 'key')]
    await using server = new Assistant(['listen', String(port), '--local', '127.0.0.1', ...files, '--reply', '.+=>seen', '--keep'])
    await expect.poll(() => server.stderr, { timeout: 10_000 }).toContain('listening on')
    const connect = async (...args: string[]) => await assist(['connect', `127.0.0.1:${port}`, '--send', 'x', '--expect', 'seen', ...args])
    expect(await connect('--tls-ca', join(folder, 'ca'), '--servername', 'scale.test')).toMatchObject({ code: 0 })
    expect(await connect('--tls-any')).toMatchObject({ code: 0 })
    expect(await connect('--tls')).toMatchObject({ code: 1, stderr: expect.stringContaining('TLS handshake failed') })
  })
})

describe('with programs of others', () => {
  test.each([
    ['ncat', (port: number) => ['--listen', '--exec', '/bin/cat', '127.0.0.1', String(port)]],
    ['socat', (port: number) => [`TCP-LISTEN:${port},bind=127.0.0.1,reuseaddr`, 'EXEC:cat']],
  ])('connects to %s', async (program, args) => {
    const port = await freePort()
    const peer = spawn(program, args(port), { stdio: 'ignore' })
    try {
      await expect
        .poll(async () => (await assist(['connect', `127.0.0.1:${port}`, '--send', 'hello', '--expect', 'hello', '--for', '5'])).code, {
          timeout: 15_000,
        })
        .toBe(0)
    } finally {
      peer.kill()
      await ended(peer)
    }
  })

  test.each([
    ['ncat', (port: number) => `printf hello | ncat 127.0.0.1 ${port}`],
    ['socat', (port: number) => `printf hello | socat -t 5 - TCP:127.0.0.1:${port}`],
  ])('listens for %s, answers, and ends when it leaves', async (_, command) => {
    const port = await freePort()
    await using assistant = new Assistant(['listen', String(port), '--local', '127.0.0.1', '--reply', '^(.*)$=>got $1'])
    await expect.poll(() => assistant.stderr, { timeout: 10_000 }).toContain(`listening on 127.0.0.1:${port}`)
    const { stdout } = await run('sh', ['-c', command(port)], { timeout: 15_000 })
    expect(stdout).toBe('got hello')
    expect(await assistant.ended).toMatchObject({ code: 0, stdout: Buffer.from('hello') })
  })

  test('datagrams go to socat and come back', async () => {
    const port = await freePort()
    const peer = spawn('socat', [`UDP-LISTEN:${port},bind=127.0.0.1,fork`, 'EXEC:cat'], { stdio: 'ignore' })
    try {
      const args = ['udp', `127.0.0.1:${port}`, '--send', 'ping', '--every', '100', '--expect', 'ping']
      expect(await assist(args)).toMatchObject({
        code: 0,
        stdout: expect.toSatisfy((output: Buffer) => output.toString().startsWith('ping')),
      })
    } finally {
      peer.kill()
      await ended(peer)
    }
  })

  test('a UDP socket that listens shows what socat sends', async () => {
    const port = await freePort()
    await using assistant = new Assistant(['udp', `:${port}`, '--expect', 'reading', '--for', '20'])
    await expect.poll(() => assistant.stderr, { timeout: 10_000 }).toContain('listening on')
    await run('sh', ['-c', `printf 'a reading' | socat - UDP:127.0.0.1:${port}`])
    expect(await assistant.ended).toMatchObject({ code: 0, stdout: Buffer.from('a reading') })
  })

  test('a tap passes on and shows both sides; tshark reads its log', async () => {
    await using target = await listen((socket, chunk) => void socket.write(chunk.toString().toUpperCase()))
    const port = await freePort()
    const file = join(mkdtempSync(join(tmpdir(), 'assistant-')), 'tap.pcapng')
    await using assistant = new Assistant(['tap', String(port), target.target, '--local', '127.0.0.1', '--export', file, '--keep'])
    await expect.poll(() => assistant.stderr, { timeout: 10_000 }).toContain('listening on')
    const device = await assist(['connect', `127.0.0.1:${port}`, '--send', 'reading', '--expect', 'READING'])
    expect(device).toMatchObject({ code: 0, stdout: Buffer.from('READING') })
    assistant.child.kill('SIGINT')
    expect(await assistant.ended).toMatchObject({ code: 0 })
    const { stdout } = await run('tshark', ['-r', file, '-Y', 'tcp.len > 0', '-T', 'fields', '-e', 'tcp.payload'])
    expect(
      stdout
        .trim()
        .split('\n')
        .map((hex) => Buffer.from(hex, 'hex').toString()),
    ).toEqual(['reading', 'READING'])
  })
})

describe('on a terminal', () => {
  test('lines are sent, bytes are shown without being acted upon, slash commands work', async () => {
    await using peer = await listen((socket, chunk) => void socket.write(`\x1b[31m${chunk.toString()}`))
    const folder = mkdtempSync(join(tmpdir(), 'assistant-'))
    // socat gives it a terminal of its own.
    const command = `${process.execPath} scripts/assistant.ts connect ${peer.target}`
    const terminal = spawn('socat', ['-', `EXEC:"${command}",pty,setsid,ctty,stderr`], { stdio: 'pipe' })
    try {
      let screen = ''
      terminal.stdout.on('data', (chunk: Buffer) => (screen += chunk.toString()))
      await expect.poll(() => screen, { timeout: 15_000 }).toContain('connected')
      terminal.stdin.write('hello\n')
      await expect.poll(() => screen, { timeout: 5_000 }).toContain('← \\u{1b}[31mhello')
      terminal.stdin.write('/hex 41 4q\n/hex 41 42\n/peers\n/nope\n')
      await expect.poll(() => screen, { timeout: 5_000 }).toContain('← \\u{1b}[31mAB')
      expect(screen).toContain('"q" at character 5 is no HEX')
      await expect.poll(() => screen, { timeout: 5_000 }).toContain('there is no /nope; /help shows what there is')
      terminal.stdin.write(`/save ${folder}/log.txt\n`)
      await expect.poll(() => screen, { timeout: 5_000 }).toContain('written to')
      expect(readFileSync(join(folder, 'log.txt'), 'utf8')).toMatch(/-> 127\.0\.0\.1:\d+ {2}5 B {2}hello\n/)
      terminal.stdin.write('/quit\n')
      await ended(terminal)
      expect(terminal.exitCode).toBe(0)
    } finally {
      terminal.kill()
      await ended(terminal)
    }
  })
})

describeContainer('inside the image', () => {
  test('the same commands are there, for Node-RED’s own ports', async () => {
    await using nodeRed = await newContainer().start()
    const inside = async (...args: string[]) => await docker('exec', nodeRed.getId(), 'assistant', ...args)
    expect(await inside('connect', '9503', '--send', 'hello', '--expect', 'hello')).toBe('hello')
    expect(await inside('run', 'examples/tcp-response.yaml')).toMatch(/passed in/)
  })
})
