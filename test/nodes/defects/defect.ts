import type { StartedNodeRedTcpContainer } from '../../../src/testing/node-red-tcp-container.ts'
import type { AdminClient } from '../../../src/testing/admin-client.ts'
import type { DebugMessage, DebugStream } from '../../../src/testing/debug-stream.ts'
import type { TcpClient } from '../../../src/testing/tcp-client.ts'

/** One row: what is seen with Node-RED's own nodes and what with ours. */
export type Defect = {
  name: string
  see: (context: DefectContext) => Promise<unknown>
  core: unknown
  hardened: unknown
}

export type DefectContext = {
  /** The value of TCP_NODES. */
  mode: 'core' | 'hardened'
  nodeRed: StartedNodeRedTcpContainer
  admin: AdminClient
  debug: DebugStream
}

/** Connects to a port once a flow listens on it; resolves when Node-RED has the connection too. */
export async function open(nodeRed: StartedNodeRedTcpContainer, port: number): Promise<TcpClient> {
  const get = async (page: string) => await (await fetch(`${nodeRed.getStatusUrl()}${page}`)).json()
  const listens = async () =>
    ((await get('/listeners')) as { port: number; state: string }[]).some((row) => row.port === port && row.state === 'listening')
  const sessions = async () =>
    ((await get('/sessions')) as { id: number; localPort: number }[]).filter(({ localPort }) => localPort === port)
  if (!(await comesTrue(listens, 5_000))) throw new Error(`nobody listens on port ${port}`)
  const before = new Set((await sessions()).map(({ id }) => id))
  const client = await nodeRed.tcp(port)
  const isInside = async () => (await sessions()).some(({ id }) => !before.has(id))
  if (!(await comesTrue(isInside, 5_000))) throw new Error(`the connection to port ${port} did not get through`)
  return client
}

/** What `/metrics` says of the process as a whole. */
export async function metricOf({ nodeRed }: DefectContext, name: string): Promise<number> {
  const metrics = await (await fetch(`${nodeRed.getStatusUrl()}/metrics`)).text()
  return Number(new RegExp(`^${name} ([\\d.e+-]+)$`, 'm').exec(metrics)?.[1])
}

/** The text of the next debug message with this name, or `nothing` when none comes in time. */
export async function nextOf(debug: DebugStream, name: string, within = 1_500): Promise<string> {
  return await debug
    .next((message: DebugMessage) => message.name === name, { within })
    .then(
      ({ msg }) => msg,
      () => 'nothing',
    )
}

/** Which of several names comes next: what a message ended with. */
export async function firstOf(debug: DebugStream, names: string[], within = 1_500): Promise<string> {
  return await debug
    .next((message: DebugMessage) => names.includes(String(message.name)), { within })
    .then(
      ({ name = '' }) => name,
      () => 'nothing',
    )
}

/** What a condition comes to within a time: true as soon as it holds. */
export async function comesTrue(condition: () => boolean | Promise<boolean>, within = 2_000): Promise<boolean> {
  const deadline = Date.now() + within
  while (Date.now() < deadline) {
    if (await condition()) return true
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
  return false
}
