import type { EndpointSpec } from '../shared/spec.ts'

/** Private keys do not leave the server. */
export function withoutSecrets(spec: EndpointSpec): EndpointSpec {
  if (!('tls' in spec) || !spec.tls) return spec
  const { key: _key, passphrase: _passphrase, ...tls } = spec.tls
  return { ...spec, tls }
}

/** So settings that come back have none: those that are there stay. */
export function withSecrets(next: EndpointSpec, before: EndpointSpec): EndpointSpec {
  if (!('tls' in next) || !next.tls || next.tls.key || !('tls' in before) || !before.tls?.key) return next
  if (next.tls.cert !== before.tls.cert) return next
  const { key, passphrase } = before.tls
  return { ...next, tls: { ...next.tls, key, ...(passphrase ? { passphrase } : {}) } }
}
