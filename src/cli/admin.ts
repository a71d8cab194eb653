import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline/promises'
import { keepMark, readMark } from './device-marks.ts'
import { explainUnreachable } from './unreachable.ts'

const envFile = join(dirname(dirname(import.meta.dirname)), '.env')

/** Node-RED's admin API, logged in. */
export type Admin = {
  get: <T>(path: string, headers?: Record<string, string>) => Promise<T>
  post: (path: string, body: unknown, headers?: Record<string, string>) => Promise<void>
}

/** Logs in to a running editor. The login comes from the environment or `.env`, the password from the terminal if need be. */
export async function openAdmin(options: { url?: string | undefined; user?: string | undefined }): Promise<Admin> {
  if (existsSync(envFile)) process.loadEnvFile(envFile)
  const scheme = process.env.TLS_CERT_FILE ? 'https' : 'http'
  const url = (options.url ?? `${scheme}://127.0.0.1:${process.env.EDITOR_PORT || 1880}${process.env.HTTP_ADMIN_ROOT || ''}`).replace(
    /\/$/,
    '',
  )
  const user = options.user || process.env.NODE_RED_ADMIN_USER || 'admin'
  const password = process.env.NODE_RED_ADMIN_PASSWORD || (await askPassword(user))
  const token = await login(url, user, password)
  const authorization = `Bearer ${token}`
  return {
    get: async (path, headers = {}) =>
      (await call(`${url}${path}`, { headers: { authorization, accept: 'application/json', ...headers } })).json() as Promise<never>,
    post: async (path, body, headers = {}) => {
      const init = {
        method: 'POST',
        body: JSON.stringify(body),
        headers: { authorization, 'content-type': 'application/json', ...headers },
      }
      await call(`${url}${path}`, init)
    },
  }
}

async function login(url: string, username: string, password: string): Promise<string> {
  const body = JSON.stringify({ client_id: 'node-red-admin', grant_type: 'password', scope: '*', username, password })
  const headers = { 'content-type': 'application/json', ...readMark(url) }
  const response = await call(`${url}/auth/token`, { method: 'POST', body, headers })
  keepMark(url, response)
  return ((await response.json()) as { access_token: string }).access_token
}

async function call(url: string, init: RequestInit): Promise<Response> {
  const response = await fetch(url, init).catch((cause: Error) => {
    throw new Error(explainUnreachable(url, cause), { cause })
  })
  if (response.ok) return response
  if (response.status === 409) throw new Error('the flows were deployed by somebody else meanwhile; try again')
  throw new Error(`${init.method ?? 'GET'} ${url}: ${response.status} ${(await response.text()).trim()}`)
}

async function askPassword(user: string): Promise<string> {
  if (!process.stdin.isTTY) throw new Error('no password: set NODE_RED_ADMIN_PASSWORD in the environment or in .env')
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  const question = terminal.question(`Password of ${user}: `)
  // Keystrokes are not shown: the question is out, and what follows is not written.
  ;(terminal as unknown as { _writeToOutput: () => void })._writeToOutput = () => {}
  const password = await question
  process.stderr.write('\n')
  terminal.close()
  return password
}
