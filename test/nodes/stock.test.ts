import { afterAll, beforeAll, expect, test } from 'vitest'
import type { StartedNodeRedTcpContainer } from '../../src/testing/node-red-tcp-container.ts'
import { describeContainer, newContainer } from '../support/runtimes.ts'
import { publicFlows } from './stock/public-flows.ts'
import { receiving } from './stock/receiving.ts'
import { requests } from './stock/requests.ts'
import type { Row } from './stock/row.ts'
import { sending } from './stock/sending.ts'

const SETTINGS = ['socketReconnectTime=100', 'socketTimeout=2500', 'tcpMsgQueueSize=10']

// All that Node-RED's own suites for these nodes look at, and some more. Each row runs on its nodes and on ours, side by side.
describeContainer('the same as in Node-RED', () => {
  let stock: StartedNodeRedTcpContainer
  let ours: StartedNodeRedTcpContainer

  beforeAll(async () => {
    const start = (mode: string) =>
      newContainer()
        .withEnvironment({ TCP_NODES: mode })
        .withCommand(SETTINGS.flatMap((setting) => ['-D', setting]))
        .withExposedPorts(9504, 9505)
        .start()
    ;[stock, ours] = await Promise.all([start('core'), start('hardened')])
  })
  afterAll(async () => {
    await Promise.all([stock, ours].map((nodeRed) => nodeRed[Symbol.asyncDispose]()))
  })

  async function see(row: Row, mode: 'core' | 'hardened'): Promise<unknown> {
    const nodeRed = mode === 'core' ? stock : ours
    const admin = await nodeRed.admin
    await admin.deploy([])
    await using debug = await admin.debug()
    return await row.see({ mode, nodeRed, admin, debug })
  }

  test.each([...receiving, ...sending, ...requests, ...publicFlows])('$name', async (row) => {
    const [core, hardened] = await Promise.all([see(row, 'core'), see(row, 'hardened')])
    expect({ core, hardened }).toEqual({ core: row.outcome, hardened: row.outcome })
  })
})
