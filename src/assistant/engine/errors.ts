import { notice, type Notice } from '../shared/notice.ts'

/** Something that was asked for cannot be done; `notice` says why. */
export class AssistantError extends Error {
  readonly notice: Notice

  constructor(notice: Notice) {
    super(`${notice.code} ${JSON.stringify(notice.params)}`)
    this.notice = notice
  }
}

/** What an error of any kind means for people. */
export function noticeOfError(error: unknown): Notice {
  return error instanceof AssistantError ? error.notice : notice('SOCKET_FAILED', { reason: (error as Error).message })
}

/** What a socket's error means for people. */
export function noticeOfSocketError(
  error: unknown,
  { host = '', port = 0, peer = '' }: { host?: string; port?: number; peer?: string },
): Notice {
  if (error instanceof AssistantError) return error.notice
  const { code = '', message, errors } = error as NodeJS.ErrnoException & { errors?: unknown[] }
  // Node.js tries the addresses of a name one after another and reports all that went wrong.
  if (errors?.length) return noticeOfSocketError(errors[0], { host, port, peer })
  switch (code) {
    case 'ECONNREFUSED':
      return notice('REFUSED', { host, port })
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'EHOSTDOWN':
      return notice('UNREACHABLE', { host, port })
    case 'ETIMEDOUT':
      return notice('TIMED_OUT', { host, port, seconds: 0 })
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
    case 'EAI_FAIL':
      return notice('DNS_FAILED', { host })
    case 'EADDRINUSE':
      return notice('PORT_IN_USE', { port })
    case 'EACCES':
      return notice('PORT_NOT_ALLOWED', { port })
    case 'EADDRNOTAVAIL':
      return notice('ADDRESS_NOT_HERE', { address: host })
    case 'ECONNRESET':
    case 'EPIPE':
      return peer === '' ? notice('REFUSED', { host, port }) : notice('CONNECTION_RESET', { peer })
    default:
      if (/^(ERR_(SSL|TLS)|ERR_OSSL|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO)/.test(code)) return notice('TLS_FAILED', { reason: message })
      return peer === '' ? notice('SOCKET_FAILED', { reason: message }) : notice('CONNECTION_LOST', { peer, reason: message })
  }
}
