import type { Wanted } from './inbox.ts'
import type { Draft, EndpointSpec } from '../shared/spec.ts'

/** What a scenario file says. Lines are those of the file, from 1. */
export type Scenario = { name: string; file: string; timeoutMs: number; peers: Map<string, ScenarioPeer>; steps: Step[] }

/** One side that the scenario plays. `later`: not before a step opens it. */
export type ScenarioPeer = { name: string; line: number; spec: EndpointSpec; encoding: string; later: boolean }

type Base = { line: number; name: string | undefined }
export type Step =
  | (Base & { do: 'send'; peer: string; draft: Draft; timeoutMs: number })
  | (Base & { do: 'expect'; peer: string; wanted: Wanted; timeoutMs: number })
  | (Base & { do: 'silence'; peer: string; ms: number })
  | (Base & { do: 'wait'; ms: number })
  | (Base & { do: 'open' | 'close' | 'connected' | 'closed'; peer: string; timeoutMs: number })
  | (Base & { do: 'repeat'; times: number; steps: Step[] })

export const STEP_KINDS = ['send', 'expect', 'silence', 'wait', 'open', 'close', 'connected', 'closed', 'repeat'] as const

export type Mistake = { line: number; key: string; text: string }

/** A scenario file that cannot be run; tells every mistake with its line. */
export class ScenarioError extends Error {
  readonly mistakes: readonly Mistake[]

  constructor(file: string, mistakes: readonly Mistake[]) {
    super(mistakes.map(({ line, key, text }) => `${file}:${line}: ${key === '' ? '' : `${key}: `}${text}`).join('\n'))
    this.mistakes = mistakes
  }
}
