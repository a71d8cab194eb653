// A node for tests of deploys: it misbehaves as its properties say, notes what it gets, and tells it at /probe.

type Message = { payload?: unknown; [key: string]: unknown }
type Properties = {
  name?: string
  /** How long closing takes, in milliseconds; -1: its end is never told. */
  closeMs?: number
  throwIn?: 'close' | 'constructor'
  /** Sends numbers, one in so many milliseconds. */
  everyMs?: number
  /** Completes each message so long after it has come; -1: never. */
  holdMs?: number
  /** Sends messages on. */
  forward?: boolean
}
type Node = {
  send: (message: Message) => void
  on: {
    (event: 'input', handler: (message: Message, send: (message: Message) => void, done: () => void) => void): void
    (event: 'close', handler: (removed: boolean, done: () => void) => void): void
  }
}
type NodeRed = {
  nodes: {
    createNode: (node: Node, properties: Properties) => void
    registerType: (type: string, constructor: (this: Node, properties: Properties) => void) => void
  }
  httpAdmin: { get: (path: string, handler: (request: unknown, response: { json: (value: unknown) => void }) => void) => void }
}

const seen: Record<string, Message[]> = {}
const sent: Record<string, number> = {}

export default function probeNode(RED: NodeRed): void {
  RED.httpAdmin.get('/probe', (_request, response) => response.json({ seen, sent }))

  function Probe(this: Node, properties: Properties): void {
    RED.nodes.createNode(this, properties)
    const { name = '', closeMs = 0, throwIn, everyMs, holdMs = 0, forward = false } = properties
    if (throwIn === 'constructor') throw new Error('as the test wants it')
    this.on('input', (message, send, done) => {
      const { payload, status, error, complete } = message
      // Long ones would only make the answer long.
      const noted = Buffer.isBuffer(payload) ? payload.length : payload
      ;(seen[name] ??= []).push({ payload: noted, status, error, complete })
      if (forward) send(message)
      if (holdMs > 0) setTimeout(done, holdMs)
      else if (holdMs === 0) done()
    })
    const timer = everyMs && setInterval(() => this.send({ payload: (sent[name] = (sent[name] ?? 0) + 1) }), everyMs)
    this.on('close', (_removed, done) => {
      if (timer) clearInterval(timer)
      if (throwIn === 'close') throw new Error('as the test wants it')
      if (closeMs >= 0) setTimeout(done, closeMs)
    })
  }
  RED.nodes.registerType('probe', Probe)
}
