import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { normalizeAddress } from '../../src/tcp/access-list.ts'
import {
  createProxyParser,
  formatProxyHeader,
  ProxyProtocolError,
  startsLikeProxyHeader,
  type ProxyResult,
} from '../../src/tcp/proxy-protocol.ts'
import { cuts, split } from './support/chunks.ts'

const SIGNATURE = '0d0a0d0a000d0a515549540a'
const port = fc.nat(0xffff)
const endpoints = fc
  .constantFrom(fc.ipV4(), fc.ipV6().map(normalizeAddress))
  .chain((address) => fc.record({ sourceAddress: address, sourcePort: port, destinationAddress: address, destinationPort: port }))

function bytes(...hex: string[]): Buffer {
  return Buffer.from(hex.join('').replaceAll(' ', ''), 'hex')
}

/** Pushes until the header is whole; what is not pushed then belongs to the rest. */
function parse(chunks: Buffer[]): ProxyResult | undefined {
  const parser = createProxyParser()
  for (const [index, chunk] of chunks.entries()) {
    const result = parser.push(chunk)
    if (result) return { ...result, rest: Buffer.concat([result.rest, ...chunks.slice(index + 1)]) }
  }
  return undefined
}

describe.each([1, 2] as const)('version %i', (version) => {
  test('any endpoints go and come back, in any chunks, and what follows is left', () => {
    fc.assert(
      fc.property(endpoints, fc.string(), cuts, (given, text, places) => {
        const rest = Buffer.from(text)
        const stream = Buffer.concat([formatProxyHeader({ version, ...given }), rest])
        expect(parse(split(stream, places))).toEqual({ ...given, local: false, rest })
      }),
    )
  })

  test('a header is whole with its last byte, not before', () => {
    const header = formatProxyHeader({
      version,
      sourceAddress: '1.2.3.4',
      sourcePort: 5,
      destinationAddress: '6.7.8.9',
      destinationPort: 10,
    })
    expect(parse([header.subarray(0, -1)])).toBeUndefined()
    expect(parse([header])).toMatchObject({ sourceAddress: '1.2.3.4', rest: Buffer.alloc(0) })
  })

  test('a header without endpoints is local', () => {
    expect(parse([formatProxyHeader({ version }), Buffer.from('rest')])).toEqual({ local: true, rest: Buffer.from('rest') })
  })

  test('endpoints of both families go as IPv6', () => {
    const given = { sourceAddress: '1.2.3.4', sourcePort: 5, destinationAddress: '2001:db8::1', destinationPort: 10 }
    expect(parse([formatProxyHeader({ version, ...given })])).toMatchObject(given)
  })

  test('the header is recognized by its first bytes', () => {
    const header = formatProxyHeader({ version })
    const signatureLength = version === 1 ? 6 : 12
    for (let length = 0; length <= header.length; length += 1) {
      expect(startsLikeProxyHeader(header.subarray(0, length))).toBe(length < signatureLength ? 'maybe' : 'yes')
    }
  })
})

test.each<[string, Buffer, Partial<ProxyResult>]>([
  [
    'v1 over IPv4',
    Buffer.from('PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\r\nGET'),
    {
      sourceAddress: '192.0.2.1',
      sourcePort: 56324,
      destinationAddress: '198.51.100.7',
      destinationPort: 443,
      local: false,
      rest: Buffer.from('GET'),
    },
  ],
  [
    'v1 over IPv6',
    Buffer.from('PROXY TCP6 2001:DB8::1 ::ffff:198.51.100.7 0 65535\r\n'),
    { sourceAddress: '2001:db8::1', sourcePort: 0, destinationAddress: '198.51.100.7', destinationPort: 65535, local: false },
  ],
  ['v1 unknown', Buffer.from('PROXY UNKNOWN\r\nx'), { local: true, rest: Buffer.from('x') }],
  ['v1 unknown with addresses', Buffer.from('PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n'), { local: true }],
  [
    'v2 over IPv4',
    bytes(SIGNATURE, '21 11 000c c0000201 c6336407 dc04 01bb', '474554'),
    {
      sourceAddress: '192.0.2.1',
      sourcePort: 56324,
      destinationAddress: '198.51.100.7',
      destinationPort: 443,
      local: false,
      rest: Buffer.from('GET'),
    },
  ],
  [
    'v2 over IPv6 with additional fields',
    bytes(
      SIGNATURE,
      '21 21 002b',
      '20010db8000000000000000000000001',
      '00000000000000000000ffffc6336407',
      '0001 0002',
      '01 0004 61626364',
      'ff',
    ),
    {
      sourceAddress: '2001:db8::1',
      sourcePort: 1,
      destinationAddress: '198.51.100.7',
      destinationPort: 2,
      local: false,
      rest: bytes('ff'),
    },
  ],
  ['v2 local', bytes(SIGNATURE, '20 00 0000', '61'), { local: true, rest: Buffer.from('a') }],
  ['v2 local with addresses', bytes(SIGNATURE, '20 11 000c c0000201c6336407dc0401bb', '61'), { local: true, rest: Buffer.from('a') }],
  ['v2 local of an unknown family', bytes(SIGNATURE, '20 ff 0000', '61'), { local: true, rest: Buffer.from('a') }],
  ['v2 unspecified', bytes(SIGNATURE, '21 00 0003 010203', '61'), { local: true, rest: Buffer.from('a') }],
  ['v2 Unix socket', Buffer.concat([bytes(SIGNATURE, '21 31 00d8'), Buffer.alloc(216)]), { local: true, rest: Buffer.alloc(0) }],
  ['v2 datagram', bytes(SIGNATURE, '21 12 000c c0000201c6336407dc0401bb'), { local: true }],
])('%s is read', (_name, header, expected) => {
  const result = parse([header])
  expect(result).toMatchObject(expected)
  expect(parse([...header].map((byte) => Buffer.from([byte])))).toEqual(result)
  if (expected.local) expect(result).not.toHaveProperty('sourceAddress')
})

test.each<[string, Buffer, string]>([
  ['other data', Buffer.from('GET / HTTP/1.1\r\n'), 'the connection does not begin with a PROXY protocol header'],
  ['a wrong first word', Buffer.from('PROXZ'), 'the connection does not begin with a PROXY protocol header'],
  ['a wrong signature', bytes('0d0a0d0a00ff'), 'the connection does not begin with a PROXY protocol header'],
  ['v1 without an end', Buffer.from(`PROXY TCP4 ${'1'.repeat(96)}`), 'a PROXY protocol v1 header is longer than 107 bytes'],
  ['v1 with a late end', Buffer.from(`PROXY UNKNOWN ${'1'.repeat(92)}\r\n`), 'a PROXY protocol v1 header is longer than 107 bytes'],
  ['v1 with a wrong address', Buffer.from('PROXY TCP4 1.2.3 1.2.3.4 1 2\r\n'), 'v1 header is malformed: "PROXY TCP4 1.2.3 1.2.3.4 1 2"'],
  ['v1 of another family', Buffer.from('PROXY TCP4 ::1 ::1 1 2\r\n'), 'v1 header is malformed'],
  ['v1 with a wrong destination', Buffer.from('PROXY TCP4 1.2.3.4 ::1 1 2\r\n'), 'v1 header is malformed'],
  ['v1 with a zone', Buffer.from('PROXY TCP6 fe80::1%eth0 ::1 1 2\r\n'), 'v1 header is malformed'],
  ['v1 with a high port', Buffer.from('PROXY TCP4 1.2.3.4 1.2.3.4 1 65536\r\n'), 'v1 header is malformed'],
  ['v1 with a high destination port', Buffer.from('PROXY TCP4 1.2.3.4 1.2.3.4 1 99999\r\n'), 'v1 header is malformed'],
  ['v1 with a leading zero', Buffer.from('PROXY TCP4 1.2.3.4 1.2.3.4 01 2\r\n'), 'v1 header is malformed'],
  ['v1 with two blanks', Buffer.from('PROXY TCP4  1.2.3.4 1.2.3.4 1 2\r\n'), 'v1 header is malformed'],
  ['v1 without ports', Buffer.from('PROXY TCP4 1.2.3.4 1.2.3.4\r\n'), 'v1 header is malformed'],
  ['v1 of an unknown protocol', Buffer.from('PROXY UDP4 1.2.3.4 1.2.3.4 1 2\r\n'), 'v1 header is malformed'],
  ['version 3', bytes(SIGNATURE, '31'), 'a PROXY protocol header has version 3, which is neither 1 nor 2'],
  ['an unknown command', bytes(SIGNATURE, '22 11 000c'), 'v2 header has the unknown command 2'],
  ['an unknown family', bytes(SIGNATURE, '21 41 000c'), 'v2 header has the unknown family 0x41'],
  ['an unknown transport', bytes(SIGNATURE, '21 13 000c'), 'v2 header has the unknown family 0x13'],
  ['v2 too long', bytes(SIGNATURE, '21 11 1001'), 'a PROXY protocol v2 header tells of 4097 bytes, the limit is 4096'],
  ['v2 too short for IPv4', bytes(SIGNATURE, '21 11 000b'), 'a PROXY protocol v2 header has 11 bytes for addresses that need 12'],
  ['v2 too short for IPv6', bytes(SIGNATURE, '21 21 0023'), 'a PROXY protocol v2 header has 35 bytes for addresses that need 36'],
])('%s is refused', (_name, header, message) => {
  const inParts = [...header].map((byte) => Buffer.from([byte]))
  for (const chunks of [[header], inParts]) {
    expect(() => parse(chunks)).toThrow(ProxyProtocolError)
    expect(() => parse(chunks)).toThrow(message)
  }
})

test('any bytes are a header, too few or refused, and nothing else is thrown', () => {
  const body = fc.uint8Array({ maxLength: 60, size: 'max' })
  const start = fc.constantFrom(
    Buffer.alloc(0),
    Buffer.from('PROXY '),
    Buffer.from('PROXY TCP4 1.2.3.4 '),
    bytes(SIGNATURE),
    bytes(SIGNATURE, '2111'),
  )
  fc.assert(
    fc.property(start, body, cuts, (begin, end, places) => {
      const stream = Buffer.concat([begin, end])
      const outcome = (chunks: Buffer[]) => {
        try {
          return parse(chunks)
        } catch (error) {
          expect(error).toBeInstanceOf(ProxyProtocolError)
          return (error as Error).message
        }
      }
      expect(outcome(split(stream, places))).toEqual(outcome([stream]))
    }),
  )
})
