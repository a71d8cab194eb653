import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readSnapshot } from '../../src/ports/docker/status.ts'
import { diagnose, needsMending, type PortRow } from '../../src/ports/shared/diagnosis.ts'
import { formatRows } from '../../src/ports/command/table.ts'
import { flowOf, Tab, tlsConfig } from '../nodes/flow-builder.ts'
import { createAuthority } from '../../src/testing/certificates.ts'
import { EmbeddedNodeRedTcp, type StartedEmbeddedNodeRedTcp } from '../../src/testing/embedded-node-red-tcp.ts'
import { freePort } from '../../src/testing/free-port.ts'

const { ca, issue } = createAuthority()
const old = issue('old.test', { to: '210101000000Z' })
const good = issue('good.test')
const folder = mkdtempSync(join(tmpdir(), 'node-red-tcp-'))
const [TLS_CERT_FILE, TLS_KEY_FILE] = [join(folder, 'cert.pem'), join(folder, 'key.pem')]

let nodeRed: StartedEmbeddedNodeRedTcp

beforeAll(() => {
  writeFileSync(TLS_CERT_FILE, old.cert)
  writeFileSync(TLS_KEY_FILE, old.key)
})
afterAll(async () => {
  await nodeRed[Symbol.asyncDispose]()
})

/** What the doctor says, as it stands. */
async function doctor(): Promise<{ rows: PortRow[]; text: string }> {
  const rows = diagnose(await readSnapshot(nodeRed.getStatusUrl()), { kind: 'direct' })
  return { rows, text: formatRows(rows, { fixes: true }) }
}

test('certificates of nodes and of the editor are in /listeners and in what the doctor says, with what mends them', async () => {
  const [expired, mixed, fine, unframed] = [await freePort(), await freePort(), await freePort(), await freePort()]
  const tab = new Tab('secure')
  const listen = (port: number, tls: string) => tab.tcpIn({ port: String(port), tls, name: tls }, tab.tcpOut({}))
  listen(expired, 'old')
  listen(mixed, 'mixed')
  listen(fine, 'fine')
  tab.tcpIn({ port: String(unframed), framing: 'fixed', frameLength: '', name: 'unframed' }, tab.tcpOut({}))
  nodeRed = await new EmbeddedNodeRedTcp().withEnvironment({ TLS_CERT_FILE, TLS_KEY_FILE }).start()
  process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0'
  const admin = await nodeRed.admin
  const certificates = [
    tlsConfig(old, { ca, id: 'old' }),
    tlsConfig({ cert: good.cert, key: old.key }, { ca, id: 'mixed' }),
    tlsConfig(good, { ca, id: 'fine' }),
  ]
  await admin.deploy([...flowOf(tab), ...certificates])
  const of = async (port: number) => (await doctor()).rows.find((row) => row.port === port)
  await expect.poll(async () => (await of(mixed))?.state).toBe('failed')
  expect((await of(expired))?.problems).toEqual([
    {
      code: 'CERTIFICATE',
      params: { port: expired, state: 'expired', subject: 'CN=old.test', at: '2021-01-01', reason: '', role: 'flow' },
      fix: 'put a certificate that is valid into the TLS configuration of the node "old" on "secure"',
    },
  ])
  expect((await of(fine))?.problems).toEqual([])
  const { rows, text } = await doctor()
  expect(needsMending(rows)).toBe(true)
  expect(text).toContain(`! its certificate (CN=old.test) expired on 2021-01-01
    → put a certificate that is valid into the TLS configuration of the node "old" on "secure"`)
  expect(text).toMatch(
    /! cannot listen: the TLS certificate or key cannot be used: .*\n {4}→ mend the settings of the node "mixed" on "secure"/,
  )
  // So are other settings without which a node cannot begin to listen.
  expect((await of(unframed))?.problems).toMatchObject([
    { code: 'LISTEN_FAILED', fix: 'mend the settings of the node "unframed" on "secure"' },
  ])
  const { missing } = (await (await fetch(`${nodeRed.getStatusUrl()}/readyz`)).json()) as { missing: { what: string; why: string }[] }
  expect(missing.map(({ what, why }) => `${what.split(' ')[1]} ${why}`).join('\n')).not.toContain('is not a port number')
  const editor = Number(new URL(nodeRed.getEditorUrl()).port)
  expect((await of(editor))?.problems).toMatchObject([
    { code: 'CERTIFICATE', fix: 'put a certificate that is valid into the files TLS_CERT_FILE and TLS_KEY_FILE' },
  ])
  const facts = (await (await fetch(`${nodeRed.getStatusUrl()}/listeners`)).json()) as { port: number; certificate?: unknown }[]
  expect(facts.find(({ port }) => port === expired)?.certificate).toEqual({ state: 'expired', subject: 'CN=old.test', at: '2021-01-01' })
})
