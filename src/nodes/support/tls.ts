import { TcpError } from '../../tcp/errors.ts'
import { assertTlsMaterial, describeValidity, type TlsMaterial } from '../../tcp/tls.ts'
import type { NodeRed, RedNode, TlsConfigNode } from './node-red.ts'
import type { Properties } from './options.ts'

/**
 * What a node's TLS configuration gives; undefined when it uses none.
 * @throws TcpError when the configuration is missing or cannot be used
 */
export function readTls(RED: NodeRed, properties: Properties, { server }: { server: boolean }): TlsMaterial | undefined {
  if (typeof properties.tls !== 'string' || properties.tls === '') return undefined
  const config = RED.nodes.getNode(properties.tls) as TlsConfigNode | null
  if (!config) throw new TcpError('TLS', 'the TLS configuration of this node does not exist or is disabled')
  if (config.valid === false)
    throw new TcpError('TLS', 'the TLS configuration of this node cannot be used: its certificate or key file could not be read')
  const material = { ...config.addTLSOptions({}), ...(server ? clientCertificateOptions(properties) : {}) }
  assertTlsMaterial(material, { server })
  return material
}

/** Has the log, and a node that looks at it, know of a certificate that is used outside of its time, or soon will be; tells what the status shows of it. */
export function warnOfValidity(node: RedNode, material: TlsMaterial | undefined): string | undefined {
  const validity = material && describeValidity(material)
  if (!validity) return undefined
  node.warn(validity.text)
  if (validity.state === 'expiring') return undefined
  return validity.state === 'expired' ? 'certificate expired' : 'certificate not valid yet'
}

/** Mutual TLS: whether clients are asked for a certificate, and whether they get in without a good one. */
function clientCertificateOptions({ clientCert }: Properties): TlsMaterial {
  if (clientCert === 'require') return { requestCert: true, rejectUnauthorized: true }
  if (clientCert === 'request') return { requestCert: true, rejectUnauthorized: false }
  return { requestCert: false, rejectUnauthorized: false }
}
