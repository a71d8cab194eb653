import type { Socket } from 'node:net'
import type { TapSpec } from '../../shared/spec.ts'
import { dial } from './dial.ts'
import type { Peer } from '../peer.ts'
import { attachSocket } from './tcp-peer.ts'
import { listen } from './tcp-server.ts'
import type { Host, Transport } from './transport.ts'
import { noticeOfSocketError } from '../errors.ts'

/** Bytes that may wait for one side before the other is not read from for a while. */
const HIGH_WATER_BYTES = 1024 * 1024

/** Stands between clients and a target. In the log `rx` is what a client has sent, `tx` what it got from the target. */
export function startTap(spec: TapSpec, host: Host): Transport {
  const { localHost } = spec
  return listen({ port: spec.port, ...(localHost ? { host: localHost } : {}) }, host, (socket) => relay(socket, spec, host))
}

function relay(client: Socket, spec: TapSpec, host: Host): void {
  client.pause()
  let far: Socket
  const connected = (target: Socket) => {
    const peer = attachSocket(client, host, {
      onData(peer, chunk) {
        peer.received(chunk)
        if (!target.write(chunk) && target.writableLength > HIGH_WATER_BYTES) void pauseUntilDrained(client, target)
      },
      onEnd: () => target.end(),
      onGone: () => target.destroy(),
    })
    if (peer === undefined) return void target.destroy()
    target.setNoDelay(true)
    target.on('data', (chunk: Buffer) => pass(peer, chunk, target))
    target.on('end', () => void finishWhenSent(peer, client))
    target.on('error', (error) => host.note(peer.id, noticeOfSocketError(error, { peer: `${spec.host}:${spec.targetPort}` })))
    target.once('close', () => void finishWhenSent(peer, client))
    client.resume()
  }
  const failed = (error: unknown) => {
    host.note('', noticeOfSocketError(error ?? new Error('closed'), { host: spec.host, port: spec.targetPort }))
    client.destroy()
  }
  client.on('error', () => far.destroy())
  try {
    far = dial({ host: spec.host, port: spec.targetPort }, host.targets, { connected, failed })
  } catch (error) {
    failed(error)
  }
}

function pass(peer: Peer, chunk: Buffer, target: Socket): void {
  try {
    peer.send(chunk)
  } catch {
    // Faults have held back more than may wait: what cannot be passed on whole is ended, not thinned.
    target.destroy()
    return
  }
  if (peer.waiting <= HIGH_WATER_BYTES) return
  target.pause()
  void peer.progress().then(() => target.resume())
}

async function pauseUntilDrained(from: Socket, to: Socket): Promise<void> {
  from.pause()
  await new Promise((resolve) => to.once('drain', resolve).once('close', resolve))
  from.resume()
}

async function finishWhenSent(peer: Peer, client: Socket): Promise<void> {
  while (peer.waiting > 0 && !client.destroyed) await peer.progress()
  client.end()
}
