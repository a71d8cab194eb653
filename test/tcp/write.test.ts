import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { connect as connectTls, createServer as createTlsServer } from 'node:tls'
import { afterEach, describe, expect, test } from 'vitest'
import { createCounters } from '../../src/tcp/counters.ts'
import type { WriteLimit } from '../../src/tcp/outbox.ts'
import { Session, type SessionOwner } from '../../src/tcp/session.ts'
import { createAuthority } from '../../src/testing/certificates.ts'

const MIB = 1024 * 1024
const LIMIT: WriteLimit = { bytes: 4 * MIB, disconnect: true }

const open: { destroy: () => void }[] = []
afterEach(() => {
  for (const socket of open.splice(0)) socket.destroy()
})

function sessionOf(socket: Socket): Session {
  return new Session(socket, {
    direction: 'in',
    address: { ip: '127.0.0.1', port: 1 },
    counters: createCounters().of('in', 1),
    hooks: { onGone() {} },
  })
}

/** A session and its peer, which reads once it is resumed. */
async function createPair(): Promise<{ session: Session; peer: Socket }> {
  const server = createServer({ noDelay: true }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const peer = connect({ port: (server.address() as AddressInfo).port, host: '127.0.0.1' })
  const [socket] = (await once(server, 'connection')) as [Socket]
  server.close()
  open.push(socket, peer)
  peer.on('error', () => {})
  return { session: sessionOf(socket), peer }
}

/** Notes in which order writes are done, and how. */
function createWriter(session: Session) {
  const told: string[] = []
  return {
    told,
    write: (name: string, bytes: Buffer) =>
      session.write(bytes, { limit: LIMIT, done: (error) => told.push(error ? `${name} failed` : name) }),
  }
}

async function readAll(peer: Socket, bytes: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  peer.on('data', (chunk) => {
    chunks.push(chunk)
    size += chunk.length
  })
  await expect.poll(() => size).toBe(bytes)
  return Buffer.concat(chunks)
}

describe('a write', () => {
  test('that the kernel takes is done there and then', async () => {
    const { session } = await createPair()
    const { told, write } = createWriter(session)
    write('reply', Buffer.from('reply'))
    expect([told, session.bufferedBytes]).toEqual([['reply'], 0])
  })

  test('that the kernel does not take whole is done once the peer has read', async () => {
    const { session, peer } = await createPair()
    const { told, write } = createWriter(session)
    // More than the buffers of both kernels take.
    write('long', Buffer.alloc(16 * MIB, 'x'))
    await nextTurn()
    expect(told).toEqual([])
    await readAll(peer, 16 * MIB)
    write('short', Buffer.from('end'))
    await expect.poll(() => told).toEqual(['long', 'short'])
  })

  test('behind more than may wait fails, and the slow peer is disconnected', async () => {
    const { session } = await createPair()
    const { told, write } = createWriter(session)
    write('long', Buffer.alloc(16 * MIB, 'x'))
    write('short', Buffer.from('end'))
    expect([told, session.isOpen]).toEqual([['short failed'], false])
    await expect.poll(() => told).toEqual(['short failed', 'long failed'])
  })

  test('that a peer breaks off is an error', async () => {
    const { session, peer } = await createPair()
    const { told, write } = createWriter(session)
    write('long', Buffer.alloc(16 * MIB, 'x'))
    peer.resetAndDestroy()
    await expect.poll(() => told).toEqual(['long failed'])
  })

  test('of nothing is done', async () => {
    const { session } = await createPair()
    const { told, write } = createWriter(session)
    write('nothing', Buffer.alloc(0))
    expect(told).toEqual(['nothing'])
  })

  test('over TLS is done once', async () => {
    const { ca, issue } = createAuthority()
    const server = createTlsServer(issue('device.test')).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const peer = connectTls({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', ca, servername: 'device.test' })
    const [socket] = (await once(server, 'secureConnection')) as [Socket]
    server.close()
    open.push(socket, peer)
    const { told, write } = createWriter(sessionOf(socket))
    write('one', Buffer.from('one,'))
    write('two', Buffer.from('two'))
    expect((await readAll(peer, 7)).toString()).toBe('one,two')
    expect(told).toEqual(['one', 'two'])
  })
})

describe('writes of one turn', () => {
  const line = Buffer.from('0123456789\n')

  const NOBODY: SessionOwner = {
    about: { node: '', type: '', name: '', flow: '' },
    intake: undefined,
    lingerMs: 0,
    onPayload() {},
    onTail() {},
    onClosed() {},
  }

  /** Writes lines, tells how many bytes of them were held, and waits until none is. */
  async function burst(session: Session, lines: number): Promise<number> {
    const { write } = createWriter(session)
    for (let index = 0; index < lines; index += 1) write('line', line)
    const held = session.bufferedBytes
    while (session.bufferedBytes > 0) await nextTurn()
    return held
  }

  /** The session's peer asks for something. */
  async function ask(session: Session, peer: Socket): Promise<void> {
    const before = session.socket.bytesRead
    peer.write('?')
    while (session.socket.bytesRead === before) await nextTurn()
  }

  test('leave together, the first of a burst after a burst included', async () => {
    const { session, peer } = await createPair()
    session.attach(NOBODY)
    await ask(session, peer)
    expect(await burst(session, 5)).toBe(4 * line.length)
    await ask(session, peer)
    expect(await burst(session, 5)).toBe(5 * line.length)
    expect((await readAll(peer, 10 * line.length)).toString()).toBe(line.toString().repeat(10))
  })

  test('leave at once when each is a reply', async () => {
    const { session, peer } = await createPair()
    session.attach(NOBODY)
    for (let replies = 0; replies < 3; replies += 1) {
      await ask(session, peer)
      expect(await burst(session, 1)).toBe(0)
    }
  })

  test('leave at once when each is a reply again', async () => {
    const { session, peer } = await createPair()
    session.attach(NOBODY)
    await ask(session, peer)
    await burst(session, 5)
    await ask(session, peer)
    // One more is held, since nobody can know.
    expect(await burst(session, 1)).toBe(line.length)
    await ask(session, peer)
    expect(await burst(session, 1)).toBe(0)
  })

  test('are held for two turns at most when nobody has asked for them', async () => {
    const { session, peer } = await createPair()
    const { told, write } = createWriter(session)
    expect(await burst(session, 1)).toBe(0)
    write('one', line)
    await nextTurn()
    write('two', line)
    expect(told).toEqual([])
    await nextTurn()
    expect(told).toEqual(['one', 'two'])
    await readAll(peer, 3 * line.length)
  })

  test('leave before FIN', async () => {
    const { session, peer } = await createPair()
    const { told, write } = createWriter(session)
    for (const name of ['one', 'two', 'three']) write(name, line)
    session.end()
    expect(told).toEqual(['one', 'two', 'three'])
    await readAll(peer, 3 * line.length)
  })

  test('leave when the peer ends meanwhile', async () => {
    const { session, peer } = await createPair()
    const { told, write } = createWriter(session)
    const received = readAll(peer, 3 * line.length)
    await nextTurn()
    peer.end()
    for (const name of ['one', 'two', 'three']) write(name, line)
    expect(told).toEqual(['one'])
    await received
    expect(told).toEqual(['one', 'two', 'three'])
  })

  test('fail when the connection is broken off meanwhile', async () => {
    const { session } = await createPair()
    const { told, write } = createWriter(session)
    for (const name of ['one', 'two', 'three']) write(name, line)
    session.reset()
    await expect.poll(() => told).toEqual(['one', 'two failed', 'three failed'])
  })

  test('are not held beyond what may wait', async () => {
    const { session, peer } = await createPair()
    const told: unknown[] = []
    for (let index = 0; index < 100; index += 1) {
      session.write(line, { limit: { bytes: 3 * line.length, disconnect: true }, done: (error) => told.push(error) })
    }
    expect(session.bufferedBytes).toBeLessThanOrEqual(3 * line.length)
    await readAll(peer, 100 * line.length)
    expect(told).toEqual(Array.from({ length: 100 }, () => undefined))
  })

  test('are not held when they are much, so that a peer that reads is not taken for a slow one', async () => {
    const { session, peer } = await createPair()
    const { told, write } = createWriter(session)
    const received = readAll(peer, 64 * 100_000)
    for (let turn = 0; turn < 8; turn += 1) {
      for (let index = 0; index < 8; index += 1) write('block', Buffer.alloc(100_000, 'x'))
      while (session.bufferedBytes > 0) await nextTurn()
    }
    await received
    expect(told).toEqual(Array.from({ length: 64 }, () => 'block'))
  })
})
