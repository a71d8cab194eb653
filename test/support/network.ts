import { docker, labelled } from './containers.ts'
import { RUN_NAME } from './engine.ts'

/** A network of Docker's. `gateway`: the host's address on it. */
export type TestNetwork = { name: string; gateway: string } & AsyncDisposable

/** Creates a network on which the host has the last address, not the first that Docker would give it. */
export async function createNetwork(): Promise<TestNetwork> {
  const free = await docker('network', 'create', ...labelled(), uniqueName())
  const subnet = await docker('network', 'inspect', '--format', '{{(index .IPAM.Config 0).Subnet}}', free)
  await docker('network', 'rm', free)
  const gateway = lastAddress(subnet)
  const name = uniqueName()
  await docker('network', 'create', ...labelled(), '--subnet', subnet, '--gateway', gateway, name)
  return { name, gateway, [Symbol.asyncDispose]: async () => void (await docker('network', 'rm', name)) }
}

let made = 0

function uniqueName(): string {
  made += 1
  return `${RUN_NAME}-network-${process.hrtime.bigint()}-${made}`
}

/** The last address of a subnet for a machine. */
function lastAddress(subnet: string): string {
  const [network = '', bits = '32'] = subnet.split('/')
  const first = network.split('.').reduce((sum, byte) => sum * 256 + Number(byte), 0)
  const last = first + 2 ** (32 - Number(bits)) - 2
  return [24, 16, 8, 0].map((shift) => Math.floor(last / 2 ** shift) % 256).join('.')
}
