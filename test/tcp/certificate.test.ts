import { describe, expect, test } from 'vitest'
import { certificateFault, filedCertificateFault } from '../../src/tcp/certificate.ts'
import { createAuthority } from '../../src/testing/certificates.ts'

const DAY_MS = 24 * 60 * 60 * 1000
const { issue } = createAuthority()

/** As openssl wants it. */
function stamp(daysFromNow: number): string {
  return new Date(Date.now() + daysFromNow * DAY_MS).toISOString().replace(/[-:T]|\.\d+/g, '')
}

describe('what is wrong with a certificate', () => {
  test.each([
    ['nothing', 30, undefined],
    ['it ends within two weeks', 10, 'expiring'],
    ['it has ended', -1, 'expired'],
  ])('%s', (_, days, state) => {
    const { cert, key } = issue('dated.test', { to: stamp(days) })
    const at = new Date(Date.now() + days * DAY_MS).toISOString().slice(0, 10)
    expect(certificateFault({ cert, key })).toEqual(state && { state, subject: 'CN=dated.test', at })
  })

  test('it is not valid yet', () => {
    const { cert, key } = issue('early.test', { from: '390101000000Z' })
    expect(certificateFault({ cert, key })).toEqual({ state: 'early', subject: 'CN=early.test', at: '2039-01-01' })
  })

  test('in files: it does not belong to its key, or is none', () => {
    const [one, other] = [issue('one.test'), issue('other.test')]
    const bytes = ({ cert, key }: { cert: string; key: string }) => ({ cert: Buffer.from(cert), key: Buffer.from(key) })
    expect(filedCertificateFault(bytes(one))).toBeUndefined()
    expect(filedCertificateFault(bytes({ cert: one.cert, key: other.key }))).toMatchObject({
      state: 'unusable',
      reason: expect.stringContaining('key values mismatch') as string,
    })
    expect(filedCertificateFault(bytes({ cert: 'garbage', key: one.key }))).toMatchObject({ state: 'unusable' })
  })
})
