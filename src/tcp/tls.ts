import { createHash } from 'node:crypto'
import { connect, isIP, type Socket } from 'node:net'
import { connect as connectTls, createSecureContext, type ConnectionOptions, type SecureContextOptions } from 'node:tls'
import { certificateFault } from './certificate.ts'
import { TcpError } from './errors.ts'

type Place = { host: string; port: number }

/** Certificates, and what is required of the peer, as Node-RED's tls-config node gives them. */
export type TlsMaterial = SecureContextOptions & {
  rejectUnauthorized?: boolean
  servername?: string
  requestCert?: boolean
  ALPNProtocols?: string[]
}

/**
 * Makes sure that the material can be used now.
 * @throws TcpError naming what is wrong
 */
export function assertTlsMaterial(material: TlsMaterial, { server }: { server: boolean }): void {
  if (server && (!material.key || !material.cert) && !material.pfx) {
    throw new TcpError('TLS', 'a TLS server needs a certificate and its private key: set both in the TLS configuration')
  }
  try {
    createSecureContext(material)
  } catch (cause) {
    throw new TcpError('TLS', `the TLS certificate or key cannot be used: ${(cause as Error).message}`, { cause })
  }
}

/** What is wrong with a certificate's dates, which peers may reject. The certificate can be used all the same. */
export function describeValidity(material: TlsMaterial): { text: string; state: 'expired' | 'expiring' | 'early' } | undefined {
  const fault = certificateFault(material)
  if (!fault || fault.state === 'unusable') return undefined
  const { state, subject, at } = fault
  const name = `the TLS certificate of ${subject}`
  if (state === 'early') return { text: `${name} is not valid before ${at}: peers may refuse it`, state }
  if (state === 'expiring') return { text: `${name} expires on ${at}: renew it`, state }
  return { text: `${name} expired on ${at}: peers may refuse it; renew it`, state }
}

/** What a client sends to a server of this name (SNI), and whose certificate it expects. */
export function clientTlsOptions(material: TlsMaterial, { host, port }: { host: string; port: number }): ConnectionOptions {
  const servername = material.servername || (isIP(host) === 0 ? host : undefined)
  return { ...material, host, port, ...(servername === undefined ? {} : { servername }) }
}

/** Connects, by TLS where there is material for it. `named`: whom the TLS is meant for, where the place is nearer than it seems. */
export function openSocket(place: Place, tls: TlsMaterial | undefined, named: Place = place): Socket {
  return tls ? connectTls({ ...clientTlsOptions(tls, named), ...place }) : connect(place)
}

/**
 * What is asked of peers, without one's own certificate: a listener is taken over only by a node that asks the same, as those who are in
 * have met no other demands.
 */
export function demandsOf(material: TlsMaterial | undefined): string {
  if (!material) return ''
  const { requestCert, rejectUnauthorized, ca, crl, ALPNProtocols, minVersion, maxVersion, ciphers } = material
  const asked = requestCert ? { rejectUnauthorized, ca, crl } : {}
  return fingerprintTls({ requestCert: requestCert === true, ALPNProtocols, minVersion, maxVersion, ciphers, ...asked } as TlsMaterial)
}

/** A key that differs for different material. */
export function fingerprintTls(material: TlsMaterial | undefined): string {
  if (!material) return ''
  const text = JSON.stringify(material, (_key, value: unknown) => (Buffer.isBuffer(value) ? value.toString('base64') : value))
  return createHash('sha256').update(text).digest('hex')
}
