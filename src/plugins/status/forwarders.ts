// Who is a forwarder: a container to which Docker has given the forwarder's name, on a network of this one. An address says too little:
// whoever is on the host may come with one of the container's own networks, and so may a machine of a LAN that is attached to it. Docker's
// name server alone does, too: names that it does not know it asks of the name server of the network, whose answers look like its own. So
// the address has to be a neighbour's, and what Docker calls the container that has it, which for a container is Docker's own answer.
import { Resolver } from 'node:dns/promises'
import { isIPv6 } from 'node:net'
import { forwarderHostName, forwarderNameEnd } from '../../ports/forwarder-name.ts'
import { normalizeAddress } from '../../tcp/access-list.ts'
import { isNeighbour } from './neighbours.ts'

// https://docs.docker.com/engine/network/#dns-services
const DOCKER_NAME_SERVER = '127.0.0.11'
const ANSWER_TIMEOUT_MS = 1_000
const KNOWN_MS = 30_000
const MAX_KNOWN = 200
// The last one: outside of Docker's own networks there is no such name server, and no forwarder.
const NO_SUCH_NAME = new Set(['ENOTFOUND', 'ENODATA', 'ECONNREFUSED'])

const resolver = new Resolver({ timeout: ANSWER_TIMEOUT_MS, tries: 1 })
resolver.setServers([DOCKER_NAME_SERVER])

/** By `port address`: until when it need not be asked again. */
const known = new Map<string, number>()

/** Whether an address is that of the forwarder of a port; `unknown`: Docker cannot be asked at the moment. */
export async function isForwarder(port: number, address: string): Promise<'yes' | 'no' | 'unknown'> {
  const plain = normalizeAddress(address)
  const key = `${port} ${plain}`
  if ((known.get(key) ?? 0) > Date.now()) return 'yes'
  known.delete(key)
  if (!isNeighbour(plain)) return 'no'
  const name = forwarderHostName(port)
  try {
    const addresses = await (isIPv6(plain) ? resolver.resolve6(name) : resolver.resolve4(name))
    if (!addresses.map(normalizeAddress).includes(plain)) return 'no'
    if (!(await resolver.reverse(plain)).some((called) => isCalled(port, called))) return 'no'
  } catch (error) {
    return NO_SUCH_NAME.has((error as NodeJS.ErrnoException).code ?? '') ? 'no' : 'unknown'
  }
  if (known.size >= MAX_KNOWN) known.delete(known.keys().next().value!)
  known.set(key, Date.now() + KNOWN_MS)
  return 'yes'
}

/** Docker says the container's name and the network's; of a container without a name of its own, its first alias. */
function isCalled(port: number, name: string): boolean {
  const [container = ''] = name.split('.')
  return container.endsWith(forwarderNameEnd(port)) || container === forwarderHostName(port)
}
