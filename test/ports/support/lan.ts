import { connect } from 'node:net'
import { networkInterfaces } from 'node:os'
import { TcpClient } from '../../../src/testing/tcp-client.ts'

/** An address of this machine on its LAN. Who comes from there is not given another address on the way in, as 127.0.0.1 is. */
export const LAN_ADDRESS = Object.entries(networkInterfaces())
  .filter(([name]) => !/^(docker|br-|veth)/.test(name))
  .flatMap(([, addresses]) => addresses ?? [])
  .find(({ family, internal }) => family === 'IPv4' && !internal)?.address

/** What `tellsAddress` says to a device that comes from an address of this host. */
export async function addressTold(port: number, address: string): Promise<string | undefined> {
  await using device = new TcpClient(connect({ port, host: address, localAddress: address }))
  await device.send('who am I?')
  return (await device.read(20, { within: 1_000 })).toString().split('\n')[0]
}
