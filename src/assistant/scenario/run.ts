import { createBreath } from '../engine/breath.ts'
import type { Hub } from '../engine/hub.ts'
import type { Wanted } from './inbox.ts'
import { escapeBytes } from '../../text/escapes.ts'
import { formatHex } from '../../text/hex.ts'
import type { ScenarioResult, StepResult, StepStart } from '../shared/scenario.ts'
import type { Scenario, Step } from './model.ts'
import { openPlayer, type Player } from './player.ts'
import { waitFor, type Waiting } from './wait.ts'
import { notice, type Notice } from '../shared/notice.ts'
import { AssistantError } from '../engine/errors.ts'

export type RunOptions = {
  hub: Hub
  onStart?: (step: StepStart) => void
  onStep?: (result: StepResult) => void
  signal?: AbortSignal
  /** Leaves endpoints and logs to be looked at. */
  keep?: boolean
}

const MAX_STEPS_KEPT = 10_000
const SHOWN_BYTES = 60

/** Plays a scenario up to its end or the first step that fails. */
export async function runScenario(
  scenario: Scenario,
  { hub, onStart = () => {}, onStep = () => {}, signal, keep = false }: RunOptions,
): Promise<ScenarioResult> {
  const started = performance.now()
  const players = new Map([...scenario.peers.values()].map((peer) => [peer.name, openPlayer(hub, peer, `${scenario.name} · ${peer.name}`)]))
  const waiting: Waiting = { hub, players: [...players.values()], signal: signal ?? new AbortController().signal }
  const results: StepResult[] = []
  const breath = createBreath()
  let skipped = 0

  async function play(steps: readonly Step[]): Promise<boolean> {
    for (const step of steps) {
      if (step.do === 'repeat') {
        for (let time = 0; time < step.times; time += 1) if (!(await play(step.steps))) return false
        continue
      }
      // Steps that wait for nothing, a hundred thousand times over.
      await breath()
      const from = performance.now()
      const start: StepStart = { line: step.line, ...(step.name !== undefined && { name: step.name }), what: whatOf(step) }
      onStart(start)
      const problem = await perform(step, 'peer' in step ? players.get(step.peer)! : undefined, waiting)
      const whole: StepResult = { ...start, ok: problem === undefined, ms: performance.now() - from, ...(problem && { problem }) }
      if (results.length < MAX_STEPS_KEPT || !whole.ok) results.push(whole)
      else skipped += 1
      onStep(whole)
      if (problem !== undefined) return false
    }
    return true
  }

  try {
    const opened = openAll(scenario, players)
    if (opened !== undefined) {
      results.push(opened)
      onStep(opened)
    }
    const ok = opened === undefined && (await play(scenario.steps))
    const stopped = waiting.signal.aborted
    return { name: scenario.name, file: scenario.file, ok, ms: performance.now() - started, steps: results, skipped, stopped }
  } finally {
    for (const player of players.values()) {
      if (keep) player.close()
      else player.remove()
    }
  }
}

function openAll(scenario: Scenario, players: Map<string, Player>): StepResult | undefined {
  for (const peer of scenario.peers.values()) {
    if (peer.later) continue
    const problem = attempt(() => players.get(peer.name)!.open())
    if (problem) return { line: peer.line, what: notice('STEP_OPEN', { peer: peer.name }), ok: false, ms: 0, problem }
  }
  return undefined
}

async function perform(step: Exclude<Step, { do: 'repeat' }>, player: Player | undefined, waiting: Waiting): Promise<Notice | undefined> {
  if (waiting.signal.aborted) return notice('STOPPED')
  if (step.do === 'wait') return await quiet(waiting, step.ms)
  const here = player!
  switch (step.do) {
    case 'open': {
      const failed = attempt(() => here.open())
      return failed ?? (await connected(step, here, waiting))
    }
    case 'connected':
      return await connected(step, here, waiting)
    case 'send': {
      const missing = await connected(step, here, waiting)
      return missing ?? attempt(() => here.send(step.draft))
    }
    case 'expect':
      return await expect(step, here, waiting)
    case 'silence': {
      here.inbox.clear()
      const heard = await waitFor(() => here.inbox.bytes.length > 0, step.ms, waiting)
      if (heard === 'met') return notice('NOT_SILENT', { peer: step.peer, received: shown(here) })
      return heard === 'stopped' ? notice('STOPPED') : undefined
    }
    case 'close':
      here.close()
      return undefined
    case 'closed': {
      const end = await waitFor(() => here.isClosed(), step.timeoutMs, waiting)
      return end === 'met' ? undefined : orStopped(end, notice('STILL_CONNECTED', { peer: step.peer, ms: step.timeoutMs }))
    }
  }
}

async function connected(step: { peer: string; timeoutMs: number }, player: Player, waiting: Waiting): Promise<Notice | undefined> {
  const end = await waitFor(() => player.isConnected() || player.problem() !== undefined, step.timeoutMs, waiting)
  const missing = notice('NOT_CONNECTED', { peer: step.peer, ms: step.timeoutMs })
  return player.problem() ?? (end === 'met' ? undefined : orStopped(end, missing))
}

async function expect(step: Extract<Step, { do: 'expect' }>, player: Player, waiting: Waiting): Promise<Notice | undefined> {
  const { peer, wanted, timeoutMs } = step
  let found = false
  let gone = false
  const end = await waitFor(
    () => {
      found ||= player.inbox.take(wanted)
      gone = player.problem() !== undefined || player.info()?.state === 'closed'
      return found || gone
    },
    timeoutMs,
    waiting,
  )
  if (found) return undefined
  const params = { peer, wanted: wantedAsText(wanted), received: shown(player) }
  if (gone) return player.problem() ?? notice('PEER_GONE', params)
  return orStopped(end, notice('NOT_RECEIVED', { ...params, ms: timeoutMs }))
}

async function quiet(waiting: Waiting, ms: number): Promise<Notice | undefined> {
  return (await waitFor(() => false, ms, waiting)) === 'stopped' ? notice('STOPPED') : undefined
}

function orStopped(end: string, otherwise: Notice): Notice {
  return end === 'stopped' ? notice('STOPPED') : otherwise
}

function attempt(action: () => void): Notice | undefined {
  try {
    action()
    return undefined
  } catch (error) {
    if (error instanceof AssistantError) return error.notice
    throw error
  }
}

/** What has come instead, as text that a terminal or a page can show. */
function shown({ inbox }: Player): string {
  const { bytes } = inbox
  if (bytes.length === 0) return ''
  const some = bytes.subarray(0, SHOWN_BYTES)
  return `${escapeBytes(some)} (${formatHex(some)}${bytes.length > some.length ? ' …' : ''})`
}

export function wantedAsText({ by, text }: Wanted): string {
  return by === 'text' ? JSON.stringify(text) : by === 'hex' ? `HEX ${text}` : `/${text}/`
}

function whatOf(step: Exclude<Step, { do: 'repeat' }>): Notice {
  switch (step.do) {
    case 'send':
      return notice('STEP_SEND', {
        peer: step.peer,
        content: step.draft.mode === 'hex' ? `HEX ${step.draft.text}` : JSON.stringify(step.draft.text),
      })
    case 'expect':
      return notice('STEP_EXPECT', { peer: step.peer, wanted: wantedAsText(step.wanted) })
    case 'silence':
      return notice('STEP_SILENCE', { peer: step.peer, ms: step.ms })
    case 'wait':
      return notice('STEP_WAIT', { ms: step.ms })
    case 'open':
      return notice('STEP_OPEN', { peer: step.peer })
    case 'close':
      return notice('STEP_CLOSE', { peer: step.peer })
    case 'connected':
      return notice('STEP_CONNECTED', { peer: step.peer })
    case 'closed':
      return notice('STEP_CLOSED', { peer: step.peer })
  }
}

/** How many steps there are to be played, repetitions counted. */
export function countSteps(steps: readonly Step[]): number {
  return steps.reduce((sum, step) => sum + (step.do === 'repeat' ? step.times * countSteps(step.steps) : 1), 0)
}
