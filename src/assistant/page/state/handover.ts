import type { EditorPresence, HandoverChannel, HandoverMessage, HandoverSlot, Placed, WaitingFlow } from '../../shared/handover.ts'

const CHANNEL: HandoverChannel = 'node-red-tcp/flow'
const SLOT: HandoverSlot = 'node-red-tcp.flow'
const PRESENCE: EditorPresence = 'node-red-tcp.editor'
// One that has crashed leaves its mark; a browser opens tabs for five seconds after a click.
const EDITOR_ANSWERS_MS = 3_000
const EDITOR_PLACES_MS = 10_000

/** `opened`: a new tab has it; `blocked`: it waits for an editor that somebody opens; `unreachable`: there is no editor; `full`: no room. */
export type HandedOver = Placed | { result: 'opened' | 'blocked' | 'unreachable' | 'full' | 'no-answer' }

export const editorUrl = new URL('..', document.baseURI).href

/** Gives a flow to an editor that is open in this browser, else to one that it opens. */
export async function handOver(flow: string): Promise<HandedOver> {
  if (localStorage.getItem(PRESENCE) === null) return await openEditor(flow)
  const id = crypto.getRandomValues(new Uint32Array(2)).join('-')
  const channel = new BroadcastChannel(CHANNEL)
  try {
    const send = (message: HandoverMessage) => channel.postMessage(message)
    const found = nextMessage(channel, EDITOR_ANSWERS_MS, (message) => (message.step === 'here' && message.id === id ? message : undefined))
    send({ step: 'who', id })
    const here = await found
    if (!here) return await openEditor(flow)
    const done = nextMessage(channel, EDITOR_PLACES_MS, (message) => (message.step === 'done' && message.id === id ? message : undefined))
    send({ step: 'place', id, editor: here.editor, flow })
    return (await done) ?? { result: 'no-answer' }
  } finally {
    channel.close()
  }
}

async function openEditor(flow: string): Promise<HandedOver> {
  const answer = await fetch(editorUrl, { cache: 'no-store' }).catch(() => undefined)
  if (!answer?.ok) return { result: 'unreachable' }
  const waiting: WaitingFlow = { at: Date.now(), flow }
  try {
    localStorage.setItem(SLOT, JSON.stringify(waiting))
  } catch {
    return { result: 'full' }
  }
  return { result: window.open(editorUrl, '_blank') ? 'opened' : 'blocked' }
}

function nextMessage<T>(
  channel: BroadcastChannel,
  withinMs: number,
  pick: (message: HandoverMessage) => T | undefined,
): Promise<T | undefined> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => end(undefined), withinMs)
    const listen = ({ data }: MessageEvent<HandoverMessage>) => {
      const picked = pick(data)
      if (picked !== undefined) end(picked)
    }
    function end(result: T | undefined): void {
      clearTimeout(timer)
      channel.removeEventListener('message', listen)
      resolve(result)
    }
    channel.addEventListener('message', listen)
  })
}
