import { once } from 'node:events'

const DEFAULT_WITHIN_MS = 5_000
const MAX_KEPT = 10_000

/** What a debug node shows. `msg` is the value as text or, for objects, as JSON; `format` tells its type, such as `buffer[5]`. */
export type DebugMessage = { id: string; name?: string; topic?: string; format: string; msg: string; [key: string]: unknown }

type Comms = { topic: string; data: unknown }

// Node's own WebSocket takes headers, which the browser's does not.
type WebSocketWithHeaders = new (url: string, options: { headers: Record<string, string> }) => WebSocket

/** The debug messages of a running Node-RED, in order of arrival. */
export class DebugStream implements AsyncDisposable {
  private readonly socket: WebSocket
  private readonly kept: DebugMessage[] = []
  private wake: () => void = () => {}

  private constructor(socket: WebSocket) {
    this.socket = socket
    socket.addEventListener('message', ({ data }) => {
      const packets = [JSON.parse(String(data))].flat() as Comms[]
      this.kept.push(...packets.filter(({ topic }) => topic === 'debug').map((packet) => packet.data as DebugMessage))
      this.kept.splice(0, this.kept.length - MAX_KEPT)
      this.wake()
    })
  }

  static async open(url: string, token: string): Promise<DebugStream> {
    const socket = new (WebSocket as unknown as WebSocketWithHeaders)(url, { headers: { authorization: `Bearer ${token}` } })
    const opened = await Promise.race([once(socket, 'open').then(() => true), once(socket, 'error').then(() => false)])
    if (!opened) throw new Error(`no debug stream at ${url}`)
    const stream = new DebugStream(socket)
    socket.send(JSON.stringify({ subscribe: 'debug' }))
    return stream
  }

  /** Waits for the next message that matches, and drops those before it. */
  async next(fits: (message: DebugMessage) => boolean = () => true, { within = DEFAULT_WITHIN_MS } = {}): Promise<DebugMessage> {
    const deadline = Date.now() + within
    const seen: DebugMessage[] = []
    for (;;) {
      for (let message = this.kept.shift(); message; message = this.kept.shift()) {
        if (fits(message)) return message
        seen.push(message)
      }
      const left = deadline - Date.now()
      if (left <= 0) throw new Error(`no fitting debug message within ${within} ms; seen: ${JSON.stringify(seen).slice(0, 2000)}`)
      let timer: NodeJS.Timeout | undefined
      await new Promise<void>((resolve) => {
        this.wake = resolve
        timer = setTimeout(resolve, left)
      })
      clearTimeout(timer)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.close()
    await Promise.resolve()
  }
}
