import { expect, test } from 'vitest'
import { isNeighbour, parseRoutes, parseRoutes6, readNetwork } from '../../ports/neighbours.ts'

const ROUTES = `Iface	Destination	Gateway 	Flags	RefCnt	Use	Metric	Mask		MTU	Window	IRTT
eth0	00000000	010013AC	0003	0	0	0	00000000	0	0	0
eth0	000013AC	00000000	0001	0	0	0	0000FFFF	0	0	0
`
const ROUTES6 = `00000000000000000000000000000000 00 00000000000000000000000000000000 00 fd000000000000000000000000000001 00000400 00000001 00000000 00000003     eth0
fd000000000000000000000000000000 40 00000000000000000000000000000000 00 00000000000000000000000000000000 00000100 00000001 00000000 00000001     eth0
`
const NETWORK = {
  interfaces: [
    { address: '127.0.0.1', cidr: '127.0.0.1/8', internal: true },
    { address: '172.19.0.5', cidr: '172.19.0.5/16', internal: false },
    { address: 'fd00::5', cidr: 'fd00::5/64', internal: false },
    // A network without a way out.
    { address: '172.20.1.70', cidr: '172.20.1.70/26', internal: false },
  ],
  gateways: ['172.19.0.1', 'fd00::1'],
}

test('reads the gateways of both families', () => {
  expect(parseRoutes(ROUTES)).toEqual(['172.19.0.1'])
  expect(parseRoutes6(ROUTES6)).toEqual(['fd00:0000:0000:0000:0000:0000:0000:0001'])
})

test.each(['', 'nonsense\n\n1 2 3', ROUTES.replace('010013AC', 'XYZ')])('takes routes that it can not read for none', (text) => {
  expect([...parseRoutes(text), ...parseRoutes6(text)]).toEqual([])
})

test.each(['172.19.0.2', '::ffff:172.19.0.2', '172.19.255.254', 'fd00::2', '172.20.1.66'])('%s is a neighbour', (address) => {
  expect(isNeighbour(address, NETWORK)).toBe(true)
})

test.each([
  ['172.19.0.1', 'the gateway'],
  ['::ffff:172.19.0.1', 'the gateway'],
  ['fd00:0:0:0:0:0:0:1', 'the gateway'],
  ['172.19.0.5', 'itself'],
  ['172.20.1.65', 'the host on a network without a way out'],
  ['127.0.0.1', 'itself'],
  ['192.168.1.50', 'elsewhere'],
  ['fd01::2', 'elsewhere'],
  ['', 'nobody'],
])('%s is none: %s', (address) => {
  expect(isNeighbour(address, NETWORK)).toBe(false)
})

test('reads the network of this machine', () => {
  const { interfaces } = readNetwork()
  expect(interfaces.length).toBeGreaterThan(0)
  expect(isNeighbour('127.0.0.1')).toBe(false)
})
