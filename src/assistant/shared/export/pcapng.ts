import { concatBytes, encodeUtf8 } from '../../../text/escapes.ts'
import type { LogEntry } from '../protocol.ts'
import { addressesOf } from './addresses.ts'
import type { ExportContext } from './entries.ts'
import { MAX_UDP_PAYLOAD, udpPacket } from './packets.ts'
import { TcpConversation } from './tcp-conversation.ts'

// https://www.ietf.org/archive/id/draft-ietf-opsawg-pcapng-02.html
const SECTION_HEADER = 0x0a0d0d0a
const INTERFACE = 1
const ENHANCED_PACKET = 6
const BYTE_ORDER_MAGIC = 0x1a2b3c4d
const RAW_IP = 101
const OPTION = { end: 0, comment: 1, interfaceName: 2, timeResolution: 9 }
const MICROSECONDS = 6
const COMMENT = 'Made from the log of the network debug assistant of node-red-tcp: payload and times are real, packet headers are not.'

/** A log as a capture that Wireshark reads. Notes become the packets that begin and end connections. */
export function exportPcapng(entries: Iterable<LogEntry>, context: ExportContext): Uint8Array {
  return concatBytes([...pcapngParts(entries, context)])
}

export function* pcapngParts(entries: Iterable<LogEntry>, context: ExportContext): Generator<Uint8Array> {
  yield sectionHeader()
  yield interfaceDescription(context.name)
  const packetsOf = context.kind === 'udp' ? createDatagrams(context) : createConversations(context)
  for (const entry of entries) for (const packet of packetsOf(entry)) yield enhancedPacket(entry.t, packet)
}

type Packets = (entry: LogEntry) => Iterable<Uint8Array>

function createDatagrams(context: ExportContext): Packets {
  return ({ dir, peer, data }) => {
    if (data === undefined) return []
    const { local, remote } = addressesOf(peer, context)
    const payload = data.subarray(0, MAX_UDP_PAYLOAD)
    return [dir === 'tx' ? udpPacket(local, remote, payload) : udpPacket(remote, local, payload)]
  }
}

function createConversations(context: ExportContext): Packets {
  const conversations = new Map<string, TcpConversation>()
  let count = 0
  const open = (peer: string) => {
    const conversation = new TcpConversation(addressesOf(peer, context), context.kind === 'tcp-client' ? 'local' : 'remote', count)
    count += 1
    conversations.set(peer, conversation)
    return conversation
  }
  return ({ dir, peer, data, note }) => {
    if (data !== undefined) return (conversations.get(peer) ?? open(peer)).send(dir === 'tx' ? 'local' : 'remote', data)
    const who = typeof note?.params.peer === 'string' ? note.params.peer : peer
    const conversation = conversations.get(who)
    switch (note?.code) {
      case 'CONNECTED':
        return open(who).open()
      case 'ENDED':
        return conversation?.finish('remote') ?? []
      case 'FINISHED':
        return conversation?.finish('local') ?? []
      case 'CONNECTION_RESET':
        return conversation?.reset('remote') ?? []
      case 'RESET_SENT':
        return conversation?.reset('local') ?? []
      case 'DISCONNECTED':
        conversations.delete(who)
        return conversation === undefined ? [] : [...conversation.finish('local'), ...conversation.finish('remote')]
      default:
        return []
    }
  }
}

function sectionHeader(): Uint8Array {
  const fixed = new DataView(new ArrayBuffer(16))
  fixed.setUint32(0, BYTE_ORDER_MAGIC, true)
  fixed.setUint16(4, 1, true)
  // Of unknown length
  fixed.setBigInt64(8, -1n, true)
  return block(SECTION_HEADER, [bytesOf(fixed), option(OPTION.comment, encodeUtf8(COMMENT)), option(OPTION.end)])
}

function interfaceDescription(name: string): Uint8Array {
  const fixed = new DataView(new ArrayBuffer(8))
  fixed.setUint16(0, RAW_IP, true)
  const options = [
    option(OPTION.interfaceName, encodeUtf8(name)),
    option(OPTION.timeResolution, Uint8Array.of(MICROSECONDS)),
    option(OPTION.end),
  ]
  return block(INTERFACE, [bytesOf(fixed), ...options])
}

function enhancedPacket(t: number, packet: Uint8Array): Uint8Array {
  const fixed = new DataView(new ArrayBuffer(20))
  const time = BigInt(Math.max(0, Math.floor(t)))
  fixed.setUint32(4, Number(time >> 32n), true)
  fixed.setUint32(8, Number(time & 0xffffffffn), true)
  fixed.setUint32(12, packet.length, true)
  fixed.setUint32(16, packet.length, true)
  return block(ENHANCED_PACKET, [bytesOf(fixed), padded(packet)])
}

/** Type and length, the body, the length again. */
function block(type: number, body: Uint8Array[]): Uint8Array {
  const length = 12 + body.reduce((sum, part) => sum + part.length, 0)
  const head = new DataView(new ArrayBuffer(8))
  head.setUint32(0, type, true)
  head.setUint32(4, length, true)
  const tail = new DataView(new ArrayBuffer(4))
  tail.setUint32(0, length, true)
  return concatBytes([bytesOf(head), ...body, bytesOf(tail)])
}

function option(code: number, value: Uint8Array = new Uint8Array()): Uint8Array {
  const head = new DataView(new ArrayBuffer(4))
  head.setUint16(0, code, true)
  head.setUint16(2, value.length, true)
  return concatBytes([bytesOf(head), padded(value)])
}

function padded(bytes: Uint8Array): Uint8Array {
  return concatBytes([bytes, new Uint8Array((4 - (bytes.length % 4)) % 4)])
}

function bytesOf(view: DataView): Uint8Array {
  return new Uint8Array(view.buffer)
}
