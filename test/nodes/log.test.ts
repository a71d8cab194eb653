import { expect, test } from 'vitest'
import { EmbeddedNodeRedTcp } from '../../src/testing/embedded-node-red-tcp.ts'
import { nextOf } from './defects/defect.ts'
import { flowOf, Tab } from './flow-builder.ts'

const MANY = 200
const AT_ONCE = 20

test('replies to peers that have gone: a Catch node hears each, and the log has no line for each', async () => {
  await using nodeRed = await new EmbeddedNodeRedTcp().start()
  const admin = await nodeRed.admin
  const lines = () => nodeRed.log.split('\n').filter((line) => line.includes('is closed')).length
  const deploy = async (caught: boolean) => {
    const tab = new Tab('gone')
    const out = tab.tcpOut({ beserver: 'reply' })
    const func = `return [Array.from({ length: ${MANY} }, () => ({ payload: 'x', _session: { type: 'tcp', id: 'gone' } }))]`
    tab.inject('many', [], tab.add('function', { func, outputs: 1, timeout: 0, noerr: 0, initialize: '', finalize: '', libs: [] }, out))
    if (caught) tab.add('catch', { scope: null, uncaught: false }, tab.debug('caught', 'error.message'))
    await admin.deploy(flowOf(tab))
  }

  await deploy(true)
  await using debug = await admin.debug()
  await admin.inject('many')
  for (let index = 0; index < MANY; index += 1) expect(await nextOf(debug, 'caught', 5_000)).toContain('is closed')
  expect(lines()).toBe(0)

  await deploy(false)
  await admin.inject('many')
  await expect.poll(lines).toBeGreaterThan(0)
  // What follows in the log comes after all of them.
  await admin.deploy([])
  expect(lines()).toBe(AT_ONCE)
})
