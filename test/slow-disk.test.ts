import { execFileSync } from 'node:child_process'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { EmbeddedNodeRedTcp } from '../src/testing/embedded-node-red-tcp.ts'

const PASSWORD = 'slow disk'

async function signIn(url: string): Promise<Response> {
  const body = new URLSearchParams({ username: 'admin', password: PASSWORD })
  return await fetch(`${url}/auth/sign-in`, { method: 'POST', body, redirect: 'manual' })
}

// A pipe that nobody reads yet stands for a disk that takes its time: whoever opens it waits.
test('a login does not wait for the disk, and nor does anything else', async () => {
  await using nodeRed = await new EmbeddedNodeRedTcp().withAdminPassword(PASSWORD).start()
  const pipe = join(nodeRed.dataDir, '.secrets', `sessions.json.${nodeRed.pid}.tmp`)
  execFileSync('mkfifo', [pipe])
  const url = nodeRed.getEditorUrl()
  const { status, headers } = await signIn(url)
  expect(status).toBe(303)
  const cookie = headers.get('set-cookie')!.split(';')[0]!
  expect((await fetch(`${url}/settings`, { headers: { cookie } })).status).toBe(200)
  await using device = await nodeRed.tcp(9503)
  await device.send('meanwhile')
  await device.expect('meanwhile')
  // It is a pipe, so it cannot be written for good; that is said, and the session is there all the same.
  await (await open(pipe, 'r')).close()
  await expect.poll(() => nodeRed.log).toContain('[warn] sessions could not be written to ')
  expect((await fetch(`${url}/settings`, { headers: { cookie } })).status).toBe(200)
  // The next one is written.
  await signIn(url)
  await expect.poll(() => nodeRed.log.match(/could not be written/g)?.length).toBe(1)
})
