import { once } from 'node:events'
import { request, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import { TcpClient } from './tcp-client.ts'

export type RawAnswer = { status: number; headers: IncomingHttpHeaders; body: string }
type RawRequest = { method?: string; headers?: Record<string, string>; body?: string | Uint8Array }

/** A request whose path goes out as it is written, which fetch would resolve first. */
export async function ask(url: string, path: string, { method = 'GET', headers = {}, body }: RawRequest = {}): Promise<RawAnswer> {
  const { hostname, port } = new URL(url)
  const sent = request({ hostname, port, path, method, headers, agent: false })
  sent.end(body)
  const [answer] = (await once(sent, 'response')) as [IncomingMessage]
  const chunks = (await answer.toArray()) as Buffer[]
  return { status: answer.statusCode!, headers: answer.headers, body: Buffer.concat(chunks).toString() }
}

/** A connection to the server of a URL, for what no HTTP client would send. */
export async function connectTo(url: string): Promise<TcpClient> {
  const { hostname, port } = new URL(url)
  return await TcpClient.connect(Number(port), hostname)
}

/** The head of a WebSocket handshake. */
export function handshake(path: string, headers: Record<string, string> = {}): string {
  const all = {
    Host: 'test',
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': 'AAAAAAAAAAAAAAAAAAAAAA==',
    ...headers,
  }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`)
  return `GET ${path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`
}

/** Sends a handshake. Returns the status of the answer, and the connection. */
export async function openSocket(url: string, path: string, headers: Record<string, string> = {}): Promise<[number, TcpClient]> {
  const client = await connectTo(url)
  await client.send(handshake(path, headers))
  return [Number((await client.read('HTTP/1.1 101'.length)).toString().split(' ')[1]), client]
}
