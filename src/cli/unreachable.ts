// Codes of Node.js and OpenSSL: https://nodejs.org/docs/latest-v24.x/api/tls.html#x509-certificate-error-codes
const UNKNOWN_AUTHORITY = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'CERT_UNTRUSTED',
])
const OUT_OF_DATE = new Set(['CERT_HAS_EXPIRED', 'CERT_NOT_YET_VALID'])
const HUNG_UP = new Set(['ECONNRESET', 'UND_ERR_SOCKET'])

type Cause = { code?: string; message?: string }

/** Why an editor could not be reached, and what helps. An answer that is not trusted is reported as such. */
export function explainUnreachable(address: string, error: Error): string {
  const url = new URL(address)
  const { code = '', message = '' } = (error.cause ?? {}) as Cause
  const certificate = `the certificate of ${url.host} is not accepted: ${message} (${code})`
  if (UNKNOWN_AUTHORITY.has(code))
    return `${certificate}. Name the file of its authority, or the certificate itself where it has none, in front of the command: NODE_EXTRA_CA_CERTS=ca.pem npm run …`
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return `${certificate}. Give the name that it is made for by --url`
  if (OUT_OF_DATE.has(code)) return `${certificate}. Renew it, or set the clock`
  if (url.protocol === 'https:' && (code.startsWith('ERR_SSL') || code === 'EPROTO'))
    return `${url.host} does not speak TLS (${code}): is it --url http://${url.host}?`
  if (url.protocol === 'http:' && HUNG_UP.has(code))
    return `${url.host} hangs up (${code}): does it speak TLS, so that it is --url https://${url.host}?`
  const why = code === '' ? '' : ` (${code})`
  return `nothing answers at ${address}${why}; is the distribution running? Another address is given by --url`
}
