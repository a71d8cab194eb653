import type { Code, Told } from '../shared/protocol.ts'

/** A text for people, by its code. */
export function told(code: Code, params: Record<string, string | number> = {}): Told {
  return { code, params }
}

/** Something that was asked for cannot be done. */
export class AssistantError extends Error {
  readonly told: Told

  constructor(code: Code, params: Record<string, string | number> = {}) {
    super(`${code} ${JSON.stringify(params)}`)
    this.told = told(code, params)
  }
}

/** What an error of any kind means for people. */
export function tellError(error: unknown): Told {
  return error instanceof AssistantError ? error.told : told('SOCKET_FAILED', { reason: (error as Error).message })
}

/** What a socket's error means for people. */
export function tellSocketError(error: unknown, { host = '', port = 0, peer = '' }: { host?: string; port?: number; peer?: string }): Told {
  if (error instanceof AssistantError) return error.told
  const { code = '', message, errors } = error as NodeJS.ErrnoException & { errors?: unknown[] }
  // Node.js tries the addresses of a name one after another and tells all that went wrong.
  if (errors?.length) return tellSocketError(errors[0], { host, port, peer })
  switch (code) {
    case 'ECONNREFUSED':
      return told('REFUSED', { host, port })
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'EHOSTDOWN':
      return told('UNREACHABLE', { host, port })
    case 'ETIMEDOUT':
      return told('TIMED_OUT', { host, port, seconds: 0 })
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
    case 'EAI_FAIL':
      return told('DNS_FAILED', { host })
    case 'EADDRINUSE':
      return told('PORT_IN_USE', { port })
    case 'EACCES':
      return told('PORT_NOT_ALLOWED', { port })
    case 'EADDRNOTAVAIL':
      return told('ADDRESS_NOT_HERE', { address: host })
    case 'ECONNRESET':
    case 'EPIPE':
      return peer === '' ? told('REFUSED', { host, port }) : told('CONNECTION_RESET', { peer })
    default:
      if (/^(ERR_(SSL|TLS)|ERR_OSSL|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO)/.test(code)) return told('TLS_FAILED', { reason: message })
      return peer === '' ? told('SOCKET_FAILED', { reason: message }) : told('CONNECTION_LOST', { peer, reason: message })
  }
}
