import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { flowOf, Tab } from './nodes/flow-builder.ts'
import type { DebugStream } from '../src/testing/debug-stream.ts'
import { EmbeddedNodeRedTcp, type StartedEmbeddedNodeRedTcp } from '../src/testing/embedded-node-red-tcp.ts'
import { freePort } from '../src/testing/free-port.ts'
import { TcpClient } from '../src/testing/tcp-client.ts'

const LIMIT = 200
const MORE_THAN_THERE_ARE = 260

describe('when the file descriptors run out', () => {
  let nodeRed: StartedEmbeddedNodeRedTcp
  let port: number

  beforeAll(async () => {
    nodeRed = await new EmbeddedNodeRedTcp().withOpenFiles(LIMIT).start()
    port = await freePort()
    const tab = new Tab('crowded')
    tab.tcpIn({ port: String(port), name: 'crowded' }, tab.tcpOut({}))
    tab.watch()
    await (await nodeRed.admin).deploy(flowOf(tab))
  })
  afterAll(async () => {
    await nodeRed[Symbol.asyncDispose]()
  })

  const readyz = async () => (await fetch(`${nodeRed.getStatusUrl()}/readyz`, { headers: { connection: 'close' } })).status
  const metric = async (name: string) => {
    const text = await (await fetch(`${nodeRed.getStatusUrl()}/metrics`)).text()
    return Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(text)?.[1])
  }
  const caught = async (debug: DebugStream) => (await debug.next(({ name }) => name === 'caught')).msg

  test('listeners refuse below the limit, say so once, and editor, status port and those who are in go on', async () => {
    const admin = await nodeRed.admin
    await using debug = await admin.debug()
    const clients: TcpClient[] = []
    try {
      for (let n = 0; n < MORE_THAN_THERE_ARE; n += 1) clients.push(await TcpClient.connect(port))
      await expect.poll(() => clients.filter(({ wasReset }) => wasReset).length).toBeGreaterThan(MORE_THAN_THERE_ARE - LIMIT)
      expect(await caught(debug)).toMatch(new RegExp(`^connection refused on port ${port}: the process may have ${LIMIT} files`))
      // Nobody is let go without a word: who is not refused is served.
      const served = await Promise.all(clients.map(isServed))
      const inside = served.filter(Boolean)
      expect(inside.length).toBeGreaterThan(LIMIT / 3)
      expect(await readyz()).toBe(200)
      expect((await admin.flows()).length).toBeGreaterThan(0)
      expect(await metric('node_red_tcp_descriptor_refusals_total')).toBe(clients.length - inside.length)
      expect(nodeRed.log.match(/\[error\].*connection refused on port/g)).toHaveLength(1)
    } finally {
      for (const client of clients) client.reset()
    }
    await using again = await echoing(port)
    await again.expectSilence()
  })
})

/** Whether a client gets its answer; false when it is refused, at once or a moment later. */
async function isServed(client: TcpClient): Promise<boolean> {
  try {
    await client.send('still here')
    await client.expect('still here')
    return true
  } catch (error) {
    if (client.wasReset) return false
    throw error
  }
}

/** A client that is let in and gets its answer, as soon as others have gone. */
async function echoing(port: number): Promise<TcpClient> {
  let found: TcpClient | undefined
  await expect
    .poll(async () => {
      const client = await TcpClient.connect(port)
      await client.send('again')
      found = await client.expect('again', { within: 1_000 }).then(
        () => client,
        () => undefined,
      )
      return found
    })
    .toBeDefined()
  return found!
}
