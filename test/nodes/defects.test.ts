import { afterAll, beforeAll, expect, test } from 'vitest'
import type { StartedNodeRedTcpContainer } from '../../src/testing/node-red-tcp-container.ts'
import { describeContainer, newContainer } from '../support/runtimes.ts'
import { data } from './defects/data.ts'
import { isolation } from './defects/isolation.ts'
import { listening } from './defects/listening.ts'
import { requests } from './defects/requests.ts'
import { secure } from './defects/secure.ts'
import { sending } from './defects/sending.ts'
import { sockets } from './defects/sockets.ts'
import { work } from './defects/work.ts'

const PORTS = [9504, 9505]

// The same rows on Node-RED's own nodes and on ours, side by side: that a row still tells them apart keeps the claim honest.
describeContainer('defects', () => {
  const modes = ['core', 'hardened'] as const
  let running: StartedNodeRedTcpContainer[]

  beforeAll(async () => {
    const start = (mode: string) =>
      newContainer()
        .withEnvironment({ TCP_NODES: mode })
        .withExposedPorts(...PORTS)
        .start()
    running = await Promise.all(modes.map(start))
  })
  afterAll(async () => {
    await Promise.all(running.map((nodeRed) => nodeRed[Symbol.asyncDispose]()))
  })

  test.each([...isolation, ...data, ...listening, ...sending, ...requests, ...sockets, ...secure, ...work])('$name', async (defect) => {
    const see = async (nodeRed: StartedNodeRedTcpContainer, index: number) => {
      const admin = await nodeRed.admin
      await admin.deploy([])
      await using debug = await admin.debug()
      return await defect.see({ mode: modes[index]!, nodeRed, admin, debug })
    }
    const [core, hardened] = await Promise.all(running.map(see))
    expect({ core, hardened }).toEqual({ core: defect.core, hardened: defect.hardened })
  })
})
