import type { NodeRed } from '../node-red.ts'

type RuntimeEvent = { id: string; payload?: { error?: string; types?: string[]; modules?: { module?: string }[] } }

/** Whether the flows run, and if not, why. */
export type FlowState = {
  phase: () => 'starting' | 'started' | 'stopped'
  /** Node types that the flows use and nothing provides; no flow runs until they are installed. */
  missingTypes: () => string[]
  missingModules: () => string[]
  safeMode: () => boolean
}

/** Follows Node-RED's events from before the first start of the flows. */
export function followFlows(RED: NodeRed, onStarting: () => void): FlowState {
  let phase: ReturnType<FlowState['phase']> = 'starting'
  let warning: RuntimeEvent['payload']
  RED.events.on('flows:starting', () => {
    phase = 'starting'
    onStarting()
  })
  RED.events.on('flows:started', () => (phase = 'started'))
  RED.events.on('flows:stopped', () => (phase = 'stopped'))
  RED.events.on('runtime-event', (event: RuntimeEvent) => {
    if (event.id === 'runtime-state') warning = event.payload
  })
  return {
    phase: () => phase,
    missingTypes: () => (warning?.error === 'missing-types' ? (warning.types ?? []) : []),
    missingModules: () => (warning?.error === 'missing-modules' ? (warning.modules ?? []).map(({ module }) => String(module)) : []),
    safeMode: () => warning?.error === 'safe-mode',
  }
}
