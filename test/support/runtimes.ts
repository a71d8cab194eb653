import { describe, inject } from 'vitest'
import type { AdminClient } from '../../src/testing/admin-client.ts'
import { EmbeddedNodeRedTcp } from '../../src/testing/embedded-node-red-tcp.ts'
import { RUN_NAME, TEST_LABEL } from './engine.ts'
import { NodeRedTcpContainer } from '../../src/testing/node-red-tcp-container.ts'
import type { TcpClient } from '../../src/testing/tcp-client.ts'

/** A distribution that runs, wherever. */
export type RunningNodeRedTcp = AsyncDisposable & {
  getEditorUrl: () => string
  getStatusUrl: () => string
  tcp: (port: number) => Promise<TcpClient>
  readonly admin: Promise<AdminClient>
}

/** A distribution that is about to be started. */
export type NodeRedTcpBuilder = {
  withFlow: (name: string, nodes: readonly object[]) => NodeRedTcpBuilder
  withAdminPassword: (password: string) => NodeRedTcpBuilder
  withEnvironment: (environment: Record<string, string>) => NodeRedTcpBuilder
  withCommand: (args: string[]) => NodeRedTcpBuilder
  withExposedPorts: (...ports: number[]) => NodeRedTcpBuilder
  withoutReadiness: () => NodeRedTcpBuilder
  start: () => Promise<RunningNodeRedTcp>
}

/** Whether a Docker engine answers. */
export function hasDocker(): boolean {
  return inject('docker')
}

/** A suite for the image; skipped, loudly, where no engine runs. */
export const describeContainer = (name: string, body: () => void): void => {
  describe.skipIf(!hasDocker())(name, body)
}

/** The image under test in a container that the clean-up of the run knows. */
export function newContainer(image = inject('image')): NodeRedTcpContainer {
  return new NodeRedTcpContainer(image).withLabels({ [TEST_LABEL]: RUN_NAME })
}

/** The same suite for a container and for a process of this host. `npm test` may play the two apart. */
export function describeRuntimes(name: string, body: (create: () => NodeRedTcpBuilder) => void): void {
  const only = process.env.NODE_RED_TCP_TEST_RUNTIME
  if (only !== 'container') describe(`${name} · embedded`, () => body(() => new EmbeddedNodeRedTcp()))
  if (only !== 'embedded') describeContainer(`${name} · container`, () => body(() => newContainer()))
}
