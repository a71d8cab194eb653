// connect, listen, udp and tap: one endpoint, what goes in, what comes out, and when it ends.
import { readFileSync, writeFileSync } from 'node:fs'
import { createHub } from '../engine/hub.ts'
import { createInbox } from '../scenario/inbox.ts'
import { wantedAsText } from '../scenario/run.ts'
import { notice } from '../shared/notice.ts'
import type { Draft } from '../shared/spec.ts'
import type { LogEntry } from '../shared/protocol.ts'
import type { Talk } from './arguments.ts'
import type { Conversation } from './conversation.ts'
import { createEnding } from './ending.ts'
import { exportLog } from './export.ts'
import { readInput } from './input.ts'
import { formatEntry } from './screen.ts'
import { describe } from './texts.ts'
import { AssistantError } from '../engine/errors.ts'

const SEND_BYTES = 64 * 1024
const MAX_UNTAKEN_BYTES = 256 * 1024 * 1024

/** Runs until its end; gives the exit code. */
export async function talk(options: Talk): Promise<number> {
  const conversation = createConversation(options)
  try {
    return await conversation.run()
  } finally {
    conversation.close()
  }
}

function createConversation(options: Talk) {
  const { spec, draft, expected, show } = options
  const raw = !process.stdout.isTTY
  const targets = process.env.ASSISTANT_TARGETS
  const hub = createHub({ ...(targets ? { targets } : {}) })
  const inbox = createInbox(draft.encoding)
  const remaining = [...expected]
  const style = { encoding: draft.encoding, show, colours: !process.env.NO_COLOR, peers: spec.kind !== 'tcp-client' }
  const ending = createEnding(options)
  let next = 1
  let to = ''
  let writing = Promise.resolve()

  const endpoint = hub.open(spec)

  function display(entry: LogEntry): void {
    if (raw) {
      if (entry.dir === 'rx' && entry.data) writeOut(entry.data)
      // In a pipe people read what goes wrong, and where it listens; the rest would be noise.
      if (entry.note && !options.quiet && ['OPENED', 'TOO_MANY_PEERS', 'RECONNECTING'].includes(entry.note.code)) say(describe(entry.note))
    } else if (!(options.quiet && entry.dir === 'note')) ending.print(formatEntry(entry, style))
  }

  /** What is not taken piles up only so far. */
  function writeOut(bytes: Uint8Array): void {
    writing = new Promise((resolve) => void process.stdout.write(bytes, () => resolve()))
    if (process.stdout.writableLength <= MAX_UNTAKEN_BYTES) return
    ending.end('failed', new Error(`what reads the output takes it too slowly: ${process.stdout.writableLength} bytes wait`))
  }

  function read(): void {
    for (const entry of endpoint.log.slice(next, endpoint.log.last)) {
      next = entry.n + 1
      if (entry.dir !== 'note') ending.heard()
      if (entry.dir === 'rx' && entry.data) inbox.add(entry.data)
      display(entry)
    }
    while (remaining.length > 0 && inbox.take(remaining[0]!)) remaining.shift()
    if (expected.length > 0 && remaining.length === 0) ending.end('expected')
    const { state, problem, peers } = endpoint.info()
    if (peers.length > 0) ending.connected()
    if (state === 'failed') ending.end('failed', problem)
    else if (state === 'closed' || (ending.wasConnected && peers.length === 0 && leavesWithPeer(options))) ending.end('gone')
  }

  function sendDraft(draft: Draft): void {
    hub.send(endpoint.id, draft, to)
  }

  function send(text: string): void {
    sendDraft({ ...draft, text })
  }

  async function sendBytes(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; at += SEND_BYTES) {
      endpoint.send(bytes.subarray(at, at + SEND_BYTES), to)
      await progress()
    }
  }

  /** Until what was sent has left, as far as that is to be waited for. */
  async function progress(): Promise<void> {
    while (!ending.over && endpoint.info().peers.some(({ waiting }) => waiting > SEND_BYTES)) {
      await Promise.race([Promise.all(endpoint.info().peers.map(({ id }) => endpoint.peer(id).progress())), ending.done])
    }
  }

  async function feed(): Promise<void> {
    await ending.whenConnected
    if (ending.over) return
    if (options.timer) endpoint.timer.start({ draft: { ...draft, text: options.send ?? '' }, ...options.timer })
    else if (options.send !== undefined) send(options.send)
    else if (options.sendFile !== undefined) await sendBytes(readFileSync(options.sendFile))
    else await readInput(conversation)
    if (options.halfClose && spec.kind !== 'udp' && !ending.over) endpoint.disturb('half-close')
    ending.inputEnded()
  }

  const conversation: Conversation & { run: () => Promise<number>; close: () => void } = {
    options,
    endpoint,
    ending,
    send,
    sendBytes,
    sendDraft,
    choose(peer: string): void {
      if (peer !== '') endpoint.peer(peer)
      to = peer
    },
    async run(): Promise<number> {
      if (options.rules.length > 0) endpoint.setRules(options.rules)
      endpoint.setFaults(options.faults)
      const unfollow = hub.follow(read)
      read()
      const fed = feed().catch((error: unknown) => ending.end('failed', error))
      const { why, cause } = await ending.done
      await Promise.race([fed, Promise.resolve()])
      unfollow()
      if (options.exportTo !== undefined) writeFileSync(options.exportTo, exportLog(options.exportTo, endpoint))
      await writing
      return verdict(why, cause)
    },
    close: () => hub.close(),
  }

  function verdict(why: string, cause: unknown): number {
    if (why === 'failed') {
      say(tellCause(cause))
      return 1
    }
    if (remaining.length === 0) return 0
    const when =
      why === 'gone' ? 'before the other side closed' : why === 'late' ? `within ${(options.forMs ?? 0) / 1000} s` : 'before it was ended'
    const missing = remaining.map(wantedAsText).join(', ')
    say(
      ending.wasConnected
        ? `${missing} did not come ${when}; --for gives it more time`
        : `nobody connected ${when}, so ${missing} did not come`,
    )
    return 1
  }

  return conversation
}

function leavesWithPeer({ spec, keep }: Talk): boolean {
  return spec.kind === 'tcp-server' && !keep && !process.stdin.isTTY
}

function tellCause(cause: unknown): string {
  if (cause instanceof AssistantError) return describe(cause.notice)
  if (cause instanceof Error) return cause.message
  return describe((cause as Parameters<typeof describe>[0] | undefined) ?? notice('CLOSED'))
}

export function say(message: string): void {
  process.stderr.write(`assistant: ${message}\n`)
}
