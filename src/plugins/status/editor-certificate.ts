import { readFileSync } from 'node:fs'
import { filedCertificateFault } from '../../tcp/certificate.ts'
import type { CertificateFault } from '../../tcp/facts/certificate-fault.ts'
import type { NodeRed } from '../node-red.ts'

const KNOWN_MS = 10_000

let looked: { at: number; fault: CertificateFault | undefined } | undefined

/** What is wrong with the certificate of the editor's port, as its files are now: Node-RED takes them over within hours, or at its next start. */
export function editorCertificateFault({ settings }: NodeRed): CertificateFault | undefined {
  const { TLS_CERT_FILE: cert, TLS_KEY_FILE: key } = settings.distribution?.environment ?? {}
  if (cert === undefined || key === undefined) return undefined
  if (!looked || looked.at < Date.now() - KNOWN_MS) looked = { at: Date.now(), fault: look(cert, key) }
  return looked.fault
}

function look(cert: string, key: string): CertificateFault | undefined {
  try {
    return filedCertificateFault({ cert: readFileSync(cert), key: readFileSync(key) })
  } catch (error) {
    return { state: 'unusable', reason: (error as Error).message }
  }
}
