import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { DebugMessage, DebugStream } from '../src/testing/debug-stream.ts'
import { describeRuntimes, type RunningNodeRedTcp } from './support/runtimes.ts'
import { freePort } from '../src/testing/free-port.ts'
import { TcpPeer } from '../src/testing/tcp-peer.ts'

const ALL_BYTES = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))
const MIB = 1024 * 1024
const MODBUS = Buffer.from('010300 00000a c5cd'.replaceAll(' ', ''), 'hex')
const SETTINGS = ['-D', 'socketReconnectTime=500']

/** Deterministic bytes that contain no pattern a mistake could reproduce. */
function noise(length: number): Buffer {
  const blocks = Array.from({ length: Math.ceil(length / 32) }, (_, index) => createHash('sha256').update(`block ${index}`).digest())
  return Buffer.concat(blocks).subarray(0, length)
}

function named(name: string) {
  return (message: DebugMessage) => message.name === name
}

/** Reads debug messages of this name until their buffers add up to so many bytes. */
async function receivedBytes(debug: DebugStream, name: string, bytes: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  while (size < bytes) {
    const { payload } = JSON.parse((await debug.next(named(name))).msg) as { payload: { data: number[]; length?: number } }
    chunks.push(Buffer.from(payload.data))
    size += payload.length ?? payload.data.length
  }
  expect(size).toBe(bytes)
  return Buffer.concat(chunks)
}

describeRuntimes('the scenarios', (create) => {
  let nodeRed: RunningNodeRedTcp
  let inClientPort: number
  let outClientPort: number

  beforeAll(async () => {
    // Not such as the kernel gives to whoever connects while nobody listens.
    inClientPort = await freePort()
    outClientPort = await freePort()
    nodeRed = await create()
      .withEnvironment({ TCP_IN_CLIENT_PORT: String(inClientPort), TCP_OUT_CLIENT_PORT: String(outClientPort) })
      .withCommand(SETTINGS)
      .start()
  })
  afterAll(async () => await nodeRed[Symbol.asyncDispose]())

  /** Waits until a scenario has so many clients. */
  async function connected(flow: string, count: number): Promise<void> {
    const clients = async () => {
      const listeners = (await (await fetch(`${nodeRed.getStatusUrl()}/listeners`)).json()) as {
        sessions: number
        declaredBy: { flow: string }[]
      }[]
      return listeners.find(({ declaredBy }) => declaredBy.some((node) => node.flow === flow))?.sessions
    }
    await expect.poll(clients).toBe(count)
  }

  describe('TCP in · server', () => {
    const shown = 'received: payload, ip, port, _session'

    test('shows what each of several clients sends, with address, port and session', async () => {
      await using debug = await (await nodeRed.admin).debug()
      await using first = await nodeRed.tcp(9501)
      await using second = await nodeRed.tcp(9501)
      const sessions = new Set<string>()
      for (const [client, text] of [
        [first, 'from the first'],
        [second, '来自第二个'],
      ] as const) {
        await client.send(text)
        const message = JSON.parse((await debug.next(named(shown))).msg) as Record<string, unknown>
        expect(Buffer.from((message.payload as { data: number[] }).data).toString()).toBe(text)
        expect(message).toMatchObject({
          ip: expect.stringMatching(/^(::ffff:)?\d+\.\d+\.\d+\.\d+$/),
          port: expect.any(Number),
          _session: { type: 'tcp' },
        })
        sessions.add((message._session as { id: string }).id)
        expect((await debug.next(named('received as text'))).msg).toBe(text)
      }
      expect(sessions.size).toBe(2)
    })

    test('receives every byte value and a mebibyte', async () => {
      await using debug = await (await nodeRed.admin).debug()
      await using client = await nodeRed.tcp(9501)
      await client.send(ALL_BYTES)
      expect(await receivedBytes(debug, shown, 256)).toEqual(ALL_BYTES)
      await client.send(noise(MIB))
      await receivedBytes(debug, shown, MIB)
    })

    test('takes fifty clients at once and shows when one goes', async () => {
      await using debug = await (await nodeRed.admin).debug()
      await connected('TCP in · server', 0)
      const clients = await Promise.all(Array.from({ length: 50 }, () => nodeRed.tcp(9501)))
      await Promise.all(clients.map((client, index) => client.send(`client ${index}`)))
      const texts = new Set<string>()
      while (texts.size < 50) texts.add((await debug.next(named('received as text'))).msg)
      expect([...texts].toSorted()).toEqual(Array.from({ length: 50 }, (_, index) => `client ${index}`).toSorted())
      clients[0]!.reset()
      const event = await debug.next((message) => message.name === 'connection state' && message.msg.includes('disconnect'))
      expect(event.msg).toContain('49')
      for (const client of clients) client.reset()
    })
  })

  describe('TCP in · client', () => {
    test('connects out, shows what arrives, and comes back when the peer does', async () => {
      const peer = await TcpPeer.listen(inClientPort)
      await using debug = await (await nodeRed.admin).debug()
      const connection = await peer.accept()
      await connection.send('temperature 21.5')
      expect((await debug.next(named('received as text'))).msg).toBe('temperature 21.5')
      await connection.send(ALL_BYTES)
      expect(await receivedBytes(debug, 'received: payload and all else', 256)).toEqual(ALL_BYTES)
      await peer.close()
      await using again = await TcpPeer.listen(peer.port)
      const second = await again.accept()
      await second.send('back again')
      await debug.next((message) => message.name === 'received as text' && message.msg === 'back again')
    })
  })

  describe('TCP out · server', () => {
    test('sends text and bytes to all clients, and to those that are left', async () => {
      const admin = await nodeRed.admin
      const clients = await Promise.all(Array.from({ length: 20 }, () => nodeRed.tcp(9502)))
      await connected('TCP out · server', 20)
      await admin.inject('send text', { flow: 'TCP out · server' })
      await Promise.all(clients.map((client) => client.expect('Hello from Node-RED\n')))
      clients.pop()!.reset()
      await connected('TCP out · server', 19)
      await admin.inject('send bytes 01 03 00 00 00 0A C5 CD', { flow: 'TCP out · server' })
      await Promise.all(clients.map((client) => client.expect(MODBUS)))
      for (const client of clients) client.reset()
    })
  })

  describe('TCP out · client', () => {
    test('sends text, bytes and decoded Base64 to the peer, also after it was restarted', async () => {
      const peer = await TcpPeer.listen(outClientPort)
      await sendsAll(peer)
      await peer.close()
      await using again = await TcpPeer.listen(peer.port)
      await sendsAll(again)
    })

    async function sendsAll(peer: TcpPeer): Promise<void> {
      const admin = await nodeRed.admin
      // Two nodes, two connections; which is which shows by what arrives.
      const connections = [await peer.accept(), await peer.accept()]
      await expect.poll(async () => await dialled(peer.port), { timeout: 10_000 }).toBe(2)
      await admin.inject('send text', { flow: 'TCP out · client' })
      await expect.poll(() => connections.some(({ available }) => available > 0), { timeout: 5_000 }).toBe(true)
      const [plain, decoding] = connections.toSorted((a, b) => b.available - a.available)
      await plain!.expect('Hello from Node-RED\n')
      await admin.inject('send bytes 01 03 00 00 00 0A C5 CD', { flow: 'TCP out · client' })
      await plain!.expect(MODBUS)
      await admin.inject('send Base64 SGVsbG8sIEJhc2U2NCEK')
      await decoding!.expect('Hello, Base64!\n')
    }

    /** How many connections Node-RED has to a port of ours, by its own account. */
    async function dialled(port: number): Promise<number> {
      const sessions = (await (await fetch(`${nodeRed.getStatusUrl()}/sessions`)).json()) as { direction: string; remotePort: number }[]
      return sessions.filter(({ direction, remotePort }) => direction === 'out' && remotePort === port).length
    }
  })

  describe('TCP response', () => {
    test('answers the sender only', async () => {
      await using first = await nodeRed.tcp(9503)
      await using second = await nodeRed.tcp(9503)
      await first.send('ping')
      await first.expect('ping')
      await second.send(ALL_BYTES)
      await second.expect(ALL_BYTES)
      await first.expectSilence()
      await second.expectSilence()
    })

    test('echoes a mebibyte to each of thirty clients at once', async () => {
      const payload = noise(MIB)
      const clients = await Promise.all(Array.from({ length: 30 }, () => nodeRed.tcp(9503)))
      await Promise.all(clients.map((client) => client.send(payload)))
      await Promise.all(clients.map((client) => client.expect(payload, { within: 30_000 })))
      for (const client of clients) client.reset()
    })

    test('sends to all clients, and drops the one that spoke last', async () => {
      const admin = await nodeRed.admin
      await using first = await nodeRed.tcp(9503)
      await using second = await nodeRed.tcp(9503)
      for (const client of [first, second]) {
        await client.send('hello')
        await client.expect('hello')
      }
      await admin.inject('send to all')
      await first.expect('To everyone\n')
      await second.expect('To everyone\n')
      await admin.inject('drop the last sender')
      await second.expectClose()
      await first.send('still here')
      await first.expect('still here')
    })

    test('goes on when clients vanish in the middle', async () => {
      for (let round = 0; round < 10; round += 1) {
        const client = await nodeRed.tcp(9503)
        await client.send(noise(200_000))
        client.reset()
      }
      await using survivor = await nodeRed.tcp(9503)
      await survivor.send('alive?')
      await survivor.expect('alive?')
    })
  })
})
