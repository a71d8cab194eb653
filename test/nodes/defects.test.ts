import { afterAll, beforeAll, expect, test } from 'vitest'
import type { StartedNodeRedTcpContainer } from '../support/node-red-tcp-container.ts'
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

// The same rows on Node-RED's own nodes and on ours: that a row still tells them apart keeps the claim honest.
for (const mode of ['core', 'hardened'] as const) {
  describeContainer(`defects · ${mode}`, () => {
    let nodeRed: StartedNodeRedTcpContainer

    beforeAll(async () => {
      nodeRed = await newContainer()
        .withEnvironment({ TCP_NODES: mode })
        .withExposedPorts(...PORTS)
        .start()
    })
    afterAll(async () => {
      await nodeRed[Symbol.asyncDispose]()
    })

    test.each([...isolation, ...data, ...listening, ...sending, ...requests, ...sockets, ...secure, ...work])('$name', async (defect) => {
      const admin = await nodeRed.admin
      await admin.deploy([])
      await using debug = await admin.debug()
      expect(await defect.see({ mode, nodeRed, admin, debug })).toEqual(defect[mode])
    })
  })
}
