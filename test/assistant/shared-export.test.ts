import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { addressesOf } from '../../src/assistant/shared/export/addresses.ts'
import { plainAddressBytes } from '../../src/text/address-bytes.ts'
import { exportCsv } from '../../src/assistant/shared/export/csv.ts'
import type { ExportContext } from '../../src/assistant/shared/export/entries.ts'
import { exportHexdump } from '../../src/assistant/shared/export/hexdump.ts'
import { exportPcapng } from '../../src/assistant/shared/export/pcapng.ts'
import { exportText } from '../../src/assistant/shared/export/text.ts'
import type { LogEntry } from '../../src/assistant/shared/protocol.ts'
import type { Code } from '../../src/assistant/shared/notice.ts'

const run = promisify(execFile)
const START = Date.UTC(2026, 10, 23, 7, 0, 0) * 1000
const CLIENT: ExportContext = { name: 'to the scale', kind: 'tcp-client', local: { address: '10.0.0.2', port: 40_000 } }

function data(n: number, dir: 'rx' | 'tx', content: string | Uint8Array, peer = '10.0.0.5:4001'): LogEntry {
  return { n, t: START + n * 1_500, dir, peer, data: typeof content === 'string' ? new TextEncoder().encode(content) : content }
}

function note(n: number, code: Code, peer = '10.0.0.5:4001'): LogEntry {
  return { n, t: START + n * 1_500, dir: 'note', peer, note: { code, params: { peer } } }
}

describe('export as text', () => {
  test('is one line an entry, whatever a peer has sent', () => {
    const log = [note(1, 'CONNECTED'), data(2, 'tx', 'W?\r\n'), data(3, 'rx', '\x1b[31m<b>重\u202e\u2028')]
    expect(exportText(log, CLIENT)).toBe(
      '2026-11-23T07:00:00.001500Z -- 10.0.0.5:4001  CONNECTED peer=10.0.0.5:4001\n' +
        '2026-11-23T07:00:00.003000Z -> 10.0.0.5:4001  4 B  W?\\r\\n\n' +
        '2026-11-23T07:00:00.004500Z <- 10.0.0.5:4001  17 B  \\u{1b}[31m<b>重\\u{202e}\\u{2028}\n',
    )
  })

  test('is in the encoding and the language that are asked for', () => {
    const context = { ...CLIENT, describe: () => '已连接', decode: (bytes: Uint8Array) => new TextDecoder('gbk').decode(bytes) }
    expect(exportText([note(1, 'CONNECTED'), data(2, 'rx', Uint8Array.of(0xd6, 0xd0))], context)).toMatch(/已连接\n.* {2}2 B {2}中\n$/)
  })
})

describe('export as CSV', () => {
  test('quotes as RFC 4180 says', () => {
    const [, row] = exportCsv([data(1, 'rx', 'a "quoted", \r\nline')], CLIENT).split(/\r\n(?=\d|number|$)/)
    expect(row).toBe(
      '1,2026-11-23T07:00:00.001500Z,rx,10.0.0.5:4001,18,61 20 22 71 75 6F 74 65 64 22 2C 20 0D 0A 6C 69 6E 65,"a ""quoted"", \r\nline"',
    )
  })

  test.each(['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '\r=1', '＝1'])('%j does not become a formula', (text) => {
    const last = exportCsv([data(1, 'rx', text)], CLIENT)
      .trimEnd()
      .split(',')
      .at(-1)!
    expect(last.replace(/^"/, '')[0]).toBe("'")
  })
})

test('export as HEX dump has offset, HEX and ASCII', () => {
  expect(exportHexdump([data(1, 'tx', 'hello, scale 1\r\n!')], CLIENT)).toBe(
    '# 2026-11-23T07:00:00.001500Z -> 10.0.0.5:4001  17 bytes\n' +
      '00000000  68 65 6C 6C 6F 2C 20 73  63 61 6C 65 20 31 0D 0A  |hello, scale 1..|\n' +
      '00000010  21                                                |!|\n',
  )
})

describe('addresses', () => {
  test.each([
    ['10.0.0.5', '10.0.0.5'],
    ['::ffff:10.0.0.5', '10.0.0.5'],
    ['::1', '0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.1'],
    ['fe80::1:2%eth0', '254.128.0.0.0.0.0.0.0.0.0.0.0.1.0.2'],
    ['1:2:3:4:5:6:7:8', '0.1.0.2.0.3.0.4.0.5.0.6.0.7.0.8'],
    ['64:ff9b::1.2.3.4', '0.100.255.155.0.0.0.0.0.0.0.0.1.2.3.4'],
    ['::1.2.3.4', '0.0.0.0.0.0.0.0.0.0.0.0.1.2.3.4'],
    ['::1.2.3.400', undefined],
    ['1::2::3', undefined],
    ['300.1.1.1', undefined],
    ['scale.local', undefined],
    ['', undefined],
  ])('%s', (text, bytes) => {
    expect(plainAddressBytes(text)?.join('.')).toBe(bytes)
  })

  test.each([
    ['10.0.0.5:4001', '10.0.0.5', 4001],
    ['10.0.0.5:4001#2', '10.0.0.5', 4001],
    ['[::ffff:10.0.0.5]:7', '10.0.0.5', 7],
    ['scale.local:7', '192.0.2.1', 7],
    ['', '192.0.2.1', 0],
  ])('of the peer %j', (peer, address, port) => {
    const { remote } = addressesOf(peer, CLIENT)
    expect([remote.bytes.join('.'), remote.port]).toEqual([address, port])
  })
})

describe('export as pcapng, read by tshark', () => {
  async function readBack(log: LogEntry[], context: ExportContext, fields: string[]): Promise<string[][]> {
    const folder = mkdtempSync(join(tmpdir(), 'pcapng-'))
    try {
      const file = join(folder, 'log.pcapng')
      writeFileSync(file, exportPcapng(log, context))
      const check = ['ip.check_checksum', 'tcp.check_checksum', 'udp.check_checksum'].flatMap((name) => ['-o', `${name}:TRUE`])
      const args = ['-n', '-r', file, ...check, '-T', 'fields', ...fields.flatMap((field) => ['-e', field])]
      const { stdout } = await run('tshark', args, { maxBuffer: 64 * 1024 * 1024 })
      return stdout
        .split('\n')
        .slice(0, -1)
        .map((line) => line.split('\t'))
    } finally {
      rmSync(folder, { recursive: true })
    }
  }
  // Wireshark's own verdicts: anything that it finds strange in sequence numbers, lengths or checksums.
  const VERDICTS = ['tcp.analysis.flags', 'ip.checksum.status', 'tcp.checksum.status', 'udp.checksum.status', '_ws.malformed']

  test('a connection begins, talks and ends, and nothing is strange about it', async () => {
    const log = [
      note(1, 'CONNECTED'),
      data(2, 'tx', 'W?'),
      data(3, 'rx', '12.5 kg'),
      data(4, 'tx', 'W?'),
      note(5, 'ENDED'),
      note(6, 'DISCONNECTED'),
    ]
    const rows = await readBack(log, CLIENT, ['ip.src', 'tcp.srcport', 'tcp.dstport', 'tcp.flags.str', 'tcp.payload'])
    expect(rows.map(([src, from, to, flags, payload]) => `${src} ${from} ${to} ${flags!.replaceAll('·', '')} ${payload}`)).toEqual([
      '10.0.0.2 40000 4001 S ',
      '10.0.0.5 4001 40000 AS ',
      '10.0.0.2 40000 4001 A ',
      '10.0.0.2 40000 4001 AP 573f',
      '10.0.0.5 4001 40000 AP 31322e35206b67',
      '10.0.0.2 40000 4001 AP 573f',
      '10.0.0.5 4001 40000 AF ',
      '10.0.0.2 40000 4001 A ',
      '10.0.0.2 40000 4001 AF ',
      '10.0.0.5 4001 40000 A ',
    ])
    for (const [flags, ip, tcp, , malformed] of await readBack(log, CLIENT, VERDICTS))
      expect([flags, ip, tcp, malformed]).toEqual(['', '1', '1', ''])
  })

  test('times are those of the log, to the microsecond', async () => {
    expect(await readBack([data(1, 'rx', 'x')], CLIENT, ['frame.time_epoch'])).toContainEqual([`${START / 1e6}.001500000`])
  })

  test('a mebibyte comes back as it was', async () => {
    const bytes = Uint8Array.from({ length: 1_048_576 }, (_, index) => (index * 7 + (index >> 8)) & 0xff)
    const rows = await readBack([data(1, 'rx', bytes)], CLIENT, ['tcp.payload', 'tcp.analysis.flags'])
    expect(Buffer.from(rows.map(([payload]) => payload).join(''), 'hex').equals(bytes)).toBe(true)
    expect(rows.every(([, flags]) => flags === '')).toBe(true)
  })

  test('clients of a server are connections of their own, over IPv6 too', async () => {
    const context: ExportContext = { name: 'server', kind: 'tcp-server', local: { address: '::', port: 9601 } }
    const log = [data(1, 'rx', 'a', '[::1]:5000'), data(2, 'rx', 'b', '10.0.0.6:5000'), data(3, 'tx', 'c', '[::1]:5000')]
    const rows = await readBack(log, context, ['tcp.stream', 'ipv6.src', 'ip.src', 'tcp.payload', 'tcp.checksum.status'])
    expect(rows.filter(([, , , payload]) => payload)).toEqual([
      ['0', '::1', '', '61', '1'],
      ['1', '', '10.0.0.6', '62', '1'],
      ['0', '::1', '', '63', '1'],
    ])
  })

  test('datagrams are UDP', async () => {
    const context: ExportContext = { name: 'udp', kind: 'udp', local: { address: '10.0.0.2', port: 7000 } }
    const rows = await readBack([data(1, 'tx', 'ab'), data(2, 'rx', 'c')], context, [
      'udp.srcport',
      'udp.dstport',
      'udp.payload',
      'udp.checksum.status',
    ])
    expect(rows).toEqual([
      ['7000', '4001', '6162', '1'],
      ['4001', '7000', '63', '1'],
    ])
  })
})
