// Finds what is wrong with a certificate before peers do.
import { X509Certificate } from 'node:crypto'
import { createSecureContext, type SecureContextOptions } from 'node:tls'
import type { CertificateFault } from './facts/certificate-fault.ts'

// Long enough to renew by hand; automatic renewal has happened by then.
const SOON_MS = 14 * 24 * 60 * 60 * 1000

type Dates = { subject: string; from: Date; to: Date }

// Material stays the same object as long as it is the same certificate.
const known = new WeakMap<object, Dates[]>()

/** What is wrong with the certificate's dates, or soon will be. The certificate can be used all the same. */
export function certificateFault(material: SecureContextOptions): CertificateFault | undefined {
  const now = Date.now()
  const all = datesOf(material)
  const over = all.find(({ to }) => to.getTime() < now + SOON_MS)
  if (over) return { state: over.to.getTime() < now ? 'expired' : 'expiring', subject: over.subject, at: dayOf(over.to) }
  const early = all.find(({ from }) => from.getTime() > now)
  return early && { state: 'early', subject: early.subject, at: dayOf(early.from) }
}

/** The same for a certificate and key from files, which may not belong together. */
export function filedCertificateFault(material: { cert: Buffer; key: Buffer }): CertificateFault | undefined {
  try {
    createSecureContext(material)
  } catch (error) {
    return { state: 'unusable', reason: (error as Error).message }
  }
  return certificateFault(material)
}

function datesOf(material: SecureContextOptions): Dates[] {
  let dates = known.get(material)
  if (!dates) {
    const pems = [material.cert].flat().filter((pem) => pem !== undefined)
    dates = pems.map((pem) => {
      const { subject, validFromDate, validToDate } = new X509Certificate(pem)
      return { subject: subject.replaceAll('\n', ', '), from: validFromDate, to: validToDate }
    })
    known.set(material, dates)
  }
  return dates
}

function dayOf(date: Date): string {
  return date.toISOString().slice(0, 10)
}
