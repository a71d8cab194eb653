import fc from 'fast-check'
import { expect, test } from 'vitest'
import { matches, normalizeAddress, parseAddressList } from '../../src/tcp/access-list.ts'

const LIST = parseAddressList('10.0.0.0/8, 192.168.1.5\n2001:db8::/32 ::1,172.16.5.9/12')

test.each([
  ['10.0.0.0', true],
  ['10.255.255.255', true],
  ['11.0.0.0', false],
  ['192.168.1.5', true],
  ['192.168.1.6', false],
  ['172.31.0.1', true],
  ['172.32.0.1', false],
  ['::ffff:10.1.2.3', true],
  ['::ffff:0a01:0203', true],
  ['::ffff:11.1.2.3', false],
  ['2001:db8:ffff::1', true],
  ['2001:DB8:0:0::1', true],
  ['2001:db9::1', false],
  ['::1', true],
  ['::2', false],
  ['', false],
  ['localhost', false],
])('%j is in the list: %s', (address, expected) => {
  expect(matches(LIST, address)).toBe(expected)
})

test.each(['', ' ', ',\n'])('the list %j is empty', (text) => {
  expect(matches(parseAddressList(text), '10.0.0.1')).toBe(false)
})

test.each([
  ['0.0.0.0/0', '8.8.8.8', true],
  ['0.0.0.0/0', '2001:db8::1', false],
  ['::/0', '2001:db8::1', true],
  ['::/0', '8.8.8.8', true],
  ['2000::/3', '8.8.8.8', false],
  ['::ffff:10.0.0.0/104', '10.1.2.3', true],
  ['::ffff:10.0.0.1', '10.0.0.1', true],
  ['::ffff:10.0.0.1', '10.0.0.2', false],
  ['fe80::/10', 'fe80::1%eth0', true],
])('%s takes in %s: %s', (entry, address, expected) => {
  expect(matches(parseAddressList(entry), address)).toBe(expected)
})

test('a network takes in an address when their first bits are alike', () => {
  fc.assert(
    fc.property(fc.nat(0xffffffff), fc.nat(0xffffffff), fc.nat(32), (network, address, prefix) => {
      const expected = network.toString(2).padStart(32, '0').slice(0, prefix) === address.toString(2).padStart(32, '0').slice(0, prefix)
      const list = parseAddressList(`${dotted(network)}/${prefix}`)
      expect(matches(list, dotted(address))).toBe(expected)
      expect(matches(list, `::ffff:${dotted(address)}`)).toBe(expected)
      expect(matches(list, dotted(network))).toBe(true)
    }),
  )
})

test.each([
  '10.0.0.0/33',
  '2001:db8::/129',
  '10.0.0',
  '10.0.0.0/',
  '10.0.0.0/-1',
  '10.0.0.0/8/8',
  'localhost',
  '010.0.0.1',
  'fe80::1%eth0',
  '/8',
])('the entry %j is refused by name', (entry) => {
  expect(() => parseAddressList(`10.0.0.1 ${entry}`)).toThrow(
    `"${entry}" is not an address or network: write 10.0.0.0/8, 192.168.1.5, 2001:db8::/32 or 2001:db8::1`,
  )
})

test.each([
  ['::ffff:1.2.3.4', '1.2.3.4'],
  ['::FFFF:1.2.3.4', '1.2.3.4'],
  ['0:0:0:0:0:ffff:102:304', '1.2.3.4'],
  ['1.2.3.4', '1.2.3.4'],
  ['fe80::1%eth0', 'fe80::1'],
  ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
  ['::1', '::1'],
  ['::', '::'],
  ['', ''],
  ['localhost', 'localhost'],
])('%j is usually written %j', (address, usual) => {
  expect(normalizeAddress(address)).toBe(usual)
})

function dotted(address: number): string {
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 0xff).join('.')
}
