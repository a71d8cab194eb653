import { createSocket } from 'node:dgram'
import { isIP, isIPv6 } from 'node:net'
import { normalizeAddress } from '../../../tcp/access-list.ts'
import { formatAddress } from '../../../text/address.ts'
import type { UdpSpec } from '../../shared/spec.ts'
import { lookupAllowed } from './dial.ts'
import type { Link, Peer } from '../peer.ts'
import type { Host, Transport } from './transport.ts'
import { notice } from '../../shared/notice.ts'
import { AssistantError, noticeOfSocketError } from '../errors.ts'

export const MAX_DATAGRAM_BYTES = 65_507

/** A socket for datagrams; whoever sends one becomes a peer, the one silent for longest makes room. */
export function startUdp(spec: UdpSpec, host: Host): Transport {
  const peers = new Map<string, Peer>()
  let target: Peer | undefined
  let closed = false
  const wantsIpv6 = [spec.localHost, spec.multicast, spec.host].some((address) => address !== undefined && isIPv6(address))
  const socket = createSocket({ type: wantsIpv6 ? 'udp6' : 'udp4', reuseAddr: spec.multicast !== undefined })
  const failed = (error: unknown) => {
    if (closed) return
    closed = true
    socket.close()
    host.failed(noticeOfSocketError(error, { host: spec.host ?? spec.localHost ?? '', port: spec.localPort }))
  }

  function peerOf(address: string, port: number): Peer | undefined {
    const name = formatAddress(address, port)
    const known = peers.get(name)
    if (known) {
      peers.delete(name)
      peers.set(name, known)
      return known
    }
    if (peers.size >= host.limits.peers) {
      const oldest = [...peers.values()].find((peer) => peer !== target)
      if (oldest) forget(oldest)
    }
    const peer = host.join(linkTo(address, port), { quiet: true })
    if (peer) peers.set(name, peer)
    return peer
  }

  function forget(peer: Peer): void {
    for (const [name, known] of peers) if (known === peer) peers.delete(name)
    host.leave(peer)
  }

  function linkTo(address: string, port: number): Link {
    let waiting = 0
    const link: Link = {
      address,
      port,
      write(bytes, done) {
        const refusal = host.targets.refuse(address, port)
        if (refusal) {
          host.note(formatAddress(address, port), refusal)
          return done()
        }
        waiting += bytes.length
        socket.send(bytes, port, address, (error) => {
          waiting -= bytes.length
          if (error)
            host.note(formatAddress(address, port), noticeOfSocketError(error, { host: address, port, peer: formatAddress(address, port) }))
          done()
        })
      },
      finish() {},
      reset() {},
      destroy() {
        for (const peer of [...peers.values()]) if (peer.link === link && peer !== target) forget(peer)
      },
      get waiting() {
        return waiting
      },
    }
    return link
  }

  socket.on('error', failed)
  socket.on('message', (bytes, { address, port }) => peerOf(normalizeAddress(address), port)?.received(bytes))
  socket.bind({ port: spec.localPort, ...(spec.localHost ? { address: spec.localHost } : {}) }, () => {
    try {
      if (spec.broadcast) socket.setBroadcast(true)
      if (spec.multicastInterface) socket.setMulticastInterface(spec.multicastInterface)
      if (spec.multicast) socket.addMembership(spec.multicast, spec.multicastInterface)
      if (spec.ttl !== undefined) {
        socket.setTTL(spec.ttl)
        socket.setMulticastTTL(spec.ttl)
      }
    } catch (error) {
      return failed(error)
    }
    const { address, port } = socket.address()
    void resolveTarget(spec, host, wantsIpv6).then((to) => {
      if (closed) return
      host.opened({ address, port })
      if (to) target = peerOf(to.address, to.port)
    }, failed)
  })

  return {
    target: () => target,
    close() {
      if (closed) return
      closed = true
      for (const peer of [...peers.values()]) forget(peer)
      socket.close()
    },
  }
}

async function resolveTarget(
  { host: name, port }: UdpSpec,
  host: Host,
  ipv6: boolean,
): Promise<{ address: string; port: number } | undefined> {
  if (!name || port === undefined) return undefined
  if (isIP(name) !== 0) {
    const refusal = host.targets.refuse(name, port)
    if (refusal) throw new AssistantError(refusal)
    return { address: normalizeAddress(name), port }
  }
  return await new Promise((resolve, reject) => {
    lookupAllowed(host.targets, port)(name, { family: ipv6 ? 6 : 4 }, (error, address) => {
      if (error) reject(error)
      else resolve({ address: address as string, port })
    })
  })
}

/** Why so many bytes make no datagram, if they do not. */
export function assertDatagram(bytes: Uint8Array): void {
  if (bytes.length > MAX_DATAGRAM_BYTES)
    throw new AssistantError(notice('DATAGRAM_TOO_LONG', { bytes: bytes.length, limit: MAX_DATAGRAM_BYTES }))
}
