import { inject } from 'vitest'
import { PORTS_HEADER } from '../../src/ports/header.ts'
import { docker, labelled } from './containers.ts'

/** Connects, sends the given bytes, and prints what comes back as hex until nothing comes for a while, or `closed`. */
const TALK = `
const [host, port, hex] = process.argv.slice(1)
const socket = require('net').connect(Number(port), host, () => socket.write(Buffer.from(hex, 'hex')))
let received = ''
const end = (text) => { console.log(text); process.exit() }
socket.on('error', () => end('closed'))
socket.on('close', () => end('closed'))
socket.on('data', (chunk) => { received += chunk.toString('hex'); socket.setTimeout(200) })
socket.setTimeout(15000, () => end(received || 'silence'))
`
const GET = `
const [url] = process.argv.slice(1)
fetch(url, { headers: { '${PORTS_HEADER}': '1' } }).then(async (response) =>
  console.log(JSON.stringify({ status: response.status, mode: response.headers.get('forwarder-proxy'), body: await response.json() })))
`

/** Another container on a network. */
export class Neighbour implements AsyncDisposable {
  private readonly id: string

  private constructor(id: string) {
    this.id = id
  }

  /** Starts one that goes by these names on the network; Docker calls it by the first, too. `script`: what it does. */
  static async start(network: string, names: readonly string[] = [], script = 'setInterval(() => {}, 1e6)'): Promise<Neighbour> {
    const place = ['--network', network, ...names.flatMap((name) => ['--network-alias', name])]
    const command = ['--init', '--entrypoint', 'node', inject('image'), '-e', script]
    return new Neighbour(await docker('run', '--detach', ...labelled(), ...place, ...command))
  }

  /** Asks by HTTP from there. `mode`: what a forwarder is told to do. */
  async get(url: string): Promise<{ status: number; mode: string | null; body: Record<string, unknown> }> {
    const answer = await docker('exec', this.id, 'node', '-e', GET, url)
    return JSON.parse(answer) as { status: number; mode: string | null; body: Record<string, unknown> }
  }

  /** Sends bytes from there and tells what comes back: bytes, or `closed`. */
  async talk(host: string, port: number, bytes: Buffer): Promise<Buffer | 'closed'> {
    const answer = await docker('exec', this.id, 'node', '-e', TALK, host, String(port), bytes.toString('hex'))
    return answer === 'closed' ? answer : Buffer.from(answer, 'hex')
  }

  /** Its address. */
  async address(): Promise<string> {
    return await docker('inspect', '--format', '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}', this.id)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await docker('rm', '--force', '--volumes', this.id)
  }
}
