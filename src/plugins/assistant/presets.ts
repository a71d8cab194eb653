import type { Preset } from '../../assistant/shared/protocol.ts'
import type { Draft } from '../../assistant/shared/spec.ts'
import type { Environment } from '../../runtime/environment.ts'
import { ownAddress } from '../../text/address.ts'

type Ports = Pick<
  Environment,
  'TCP_BIND' | 'TCP_IN_SERVER_PORT' | 'TCP_OUT_SERVER_PORT' | 'TCP_RESPONSE_PORT' | 'TCP_IN_CLIENT_PORT' | 'TCP_OUT_CLIENT_PORT'
>

const HELLO: Draft = { mode: 'text', text: 'hello', encoding: 'utf8', escapes: false, ending: '', macros: false }

/** Where the flows are, for scenario files: the names that the shipped examples use. */
export function scenarioVariables(ports: Ports): Record<string, string> {
  const { TCP_IN_SERVER_PORT, TCP_OUT_SERVER_PORT, TCP_RESPONSE_PORT, TCP_IN_CLIENT_PORT, TCP_OUT_CLIENT_PORT } = ports
  const numbers = { TCP_IN_SERVER_PORT, TCP_OUT_SERVER_PORT, TCP_RESPONSE_PORT, TCP_IN_CLIENT_PORT, TCP_OUT_CLIENT_PORT }
  return {
    NODE_RED_HOST: ownAddress(ports.TCP_BIND),
    ...Object.fromEntries(Object.entries(numbers).map(([name, port]) => [name, String(port)])),
  }
}

/** The peers of the provisioned scenarios. */
export function presetsFor(ports: Ports & Pick<Environment, 'SCENARIOS'>): Preset[] {
  const host = ownAddress(ports.TCP_BIND)
  const presets: Preset[] = [
    { scenario: 'tcp-in-server', spec: { kind: 'tcp-client', host, port: ports.TCP_IN_SERVER_PORT }, draft: HELLO },
    { scenario: 'tcp-in-client', spec: { kind: 'tcp-server', port: ports.TCP_IN_CLIENT_PORT }, draft: HELLO },
    { scenario: 'tcp-out-server', spec: { kind: 'tcp-client', host, port: ports.TCP_OUT_SERVER_PORT } },
    { scenario: 'tcp-out-client', spec: { kind: 'tcp-server', port: ports.TCP_OUT_CLIENT_PORT } },
    { scenario: 'tcp-response', spec: { kind: 'tcp-client', host, port: ports.TCP_RESPONSE_PORT }, draft: HELLO },
  ]
  return presets.filter(({ scenario }) => ports.SCENARIOS.includes(scenario))
}
