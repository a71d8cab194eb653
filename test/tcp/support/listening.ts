import { connect, type Socket, type SocketConstructorOpts } from 'node:net'
import type { Budget } from '../../../src/tcp/budget.ts'
import { createCounters } from '../../../src/tcp/counters.ts'
import { createDescriptors } from '../../../src/tcp/descriptors.ts'
import type { IntakeOptions, Payload } from '../../../src/tcp/intake/intake.ts'
import { Listener, type ListenerOwner, type ListenerSettings, type ListenerState } from '../../../src/tcp/listener.ts'
import type { Session } from '../../../src/tcp/session.ts'
import { createRelays } from '../../../src/tcp/relays.ts'
import type { TlsMaterial } from '../../../src/tcp/tls.ts'

const SETTINGS: ListenerSettings = {
  maxConnections: 0,
  maxPerAddress: 0,
  allow: undefined,
  deny: undefined,
  proxyTrusted: undefined,
  idleMs: 0,
  keepAliveMs: 0,
  noDelay: true,
}
export const PASSED_ON: IntakeOptions = { framing: { kind: 'stream' }, dataType: 'buffer', encoding: 'utf8', maxFrame: 1e9 }
export const LINES: IntakeOptions = {
  framing: { kind: 'delimiter', delimiter: Buffer.from('\n'), keep: false },
  dataType: 'text',
  encoding: 'utf8',
  maxFrame: 1e9,
}

export type Listening = AsyncDisposable & {
  port: number
  listener: Listener
  payloads: Payload[]
  /** What became of each session that has gone: its error, if any. */
  gone: (Error | undefined)[]
  refusals: string[]
  /** A connection to it, or what is left of one that was refused. */
  connect: (options?: SocketConstructorOpts & { localAddress?: string }) => Promise<Socket>
}

type Given = Partial<Pick<ListenerOwner, 'intake' | 'lingerMs' | 'onPayload' | 'onOutOfStep'>> & { settings?: Partial<ListenerSettings> }

/** An owner that keeps what it is told; `bound`: the port, once it is listened on. */
export function ownerOf(given: Given = {}) {
  const payloads: Payload[] = []
  const gone: (Error | undefined)[] = []
  const refusals: string[] = []
  const bound = Promise.withResolvers<number>()
  const owner: ListenerOwner = {
    about: { node: 'n1', type: 'tcp in', name: 'test', flow: 'f1' },
    intake: given.intake ?? PASSED_ON,
    lingerMs: given.lingerMs ?? 50,
    settings: { ...SETTINGS, ...given.settings },
    onState: (state: ListenerState) => (state.kind === 'listening' ? bound.resolve(state.port) : bound.reject(state.error)),
    onSession() {},
    onPayload: given.onPayload ?? ((_session: Session, payload) => void payloads.push(payload)),
    ...(given.onOutOfStep && { onOutOfStep: given.onOutOfStep }),
    onTail: (_session, { payload }) => void payloads.push(payload),
    onClosed: (_session, cause) => void gone.push(cause),
    onRefused: (message) => void refusals.push(message),
    onWant: (message) => void refusals.push(message),
  }
  return { owner, payloads, gone, refusals, bound: bound.promise }
}

/** A listener of the engine on a free port of 127.0.0.1 whose owner keeps what it is told. */
export async function startListening(given: Given & { tls?: TlsMaterial; budget?: Budget } = {}): Promise<Listening> {
  const sockets: Socket[] = []
  const { owner, payloads, gone, refusals, bound } = ownerOf(given)
  const listener = new Listener({ address: '127.0.0.1', port: 0, tls: given.tls }, owner, {
    ...(given.budget ? { budget: given.budget } : {}),
    counters: createCounters(),
    descriptors: createDescriptors(),
    relays: createRelays(),
    onOpened() {},
    onGone() {},
    onClosed() {},
  })
  const port = await bound
  return {
    port,
    listener,
    payloads,
    gone,
    refusals,
    async connect(options = {}) {
      const socket = connect({ port, host: '127.0.0.1', ...options })
      sockets.push(socket)
      socket.on('error', () => {})
      const settled = new Promise((resolve) => socket.once('connect', resolve).once('close', resolve))
      await settled
      return socket
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      for (const session of listener.sessions) session.socket.destroy()
      listener.close()
      await Promise.resolve()
    },
  }
}
