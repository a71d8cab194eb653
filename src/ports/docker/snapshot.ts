import type { ClientFact, ListenerFact, PortsSnapshot } from '../shared/facts.ts'

const PHASES: readonly string[] = ['starting', 'started', 'stopped'] satisfies PortsSnapshot['flows'][]
const STATES: readonly string[] = ['listening', 'failed'] satisfies ListenerFact['state'][]
const ROLES: readonly string[] = ['editor', 'status', 'flow'] satisfies ListenerFact['role'][]

/**
 * Reads what Node-RED says about its ports. Entries that are none are left out: what comes of them are containers and host ports.
 * @throws Error when it is no snapshot at all
 */
export function parseSnapshot(text: string): PortsSnapshot {
  const { flows, listeners, clients } = JSON.parse(text) as Record<keyof PortsSnapshot, unknown>
  if (!PHASES.includes(String(flows)) || !Array.isArray(listeners) || !Array.isArray(clients))
    throw new Error(`what it says about ports is of no known form: ${text.slice(0, 100)}`)
  return {
    flows: flows as PortsSnapshot['flows'],
    listeners: listeners.filter(isListenerFact),
    clients: (clients as unknown[]).filter(isClientFact),
  }
}

/** Whether a value is a port number. */
export function isPort(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 1 && (value as number) <= 65_535
}

function isListenerFact(value: unknown): value is ListenerFact {
  if (!isObject(value)) return false
  const { port, state, role, address, declaredBy } = value
  // One that failed may have a number that is no port's, which is then why.
  const fits = isPort(port) || (state === 'failed' && Number.isSafeInteger(port))
  const isPlaced = address === undefined || typeof address === 'string'
  return fits && STATES.includes(String(state)) && ROLES.includes(String(role)) && isPlaced && Array.isArray(declaredBy)
}

function isClientFact(value: unknown): value is ClientFact {
  return isObject(value) && typeof value.host === 'string' && Number.isInteger(value.port) && isObject(value.usedBy)
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
