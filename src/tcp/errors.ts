export type TcpErrorCode =
  /** The connection is gone. */
  | 'SESSION_CLOSED'
  /** The peer reads too slowly: the write buffer has reached its limit. */
  | 'SLOW_PEER'
  /** A client connection is not established now. */
  | 'NOT_CONNECTED'
  /** A queued message was not sent in time, or did not fit in the queue. */
  | 'QUEUE_LIMIT'
  | 'EXPIRED'
  /** All connections together hold more than allowed. */
  | 'MEMORY'
  /** More connections than allowed. */
  | 'LIMIT'
  /** The peer has been silent for too long. */
  | 'IDLE'
  /** The received bytes cannot be cut into frames. */
  | 'FRAMING'
  /** Certificate or key cannot be used. */
  | 'TLS'
  /** The peer's address is no longer allowed. */
  | 'REFUSED'
  /** Listening or connecting failed. */
  | 'LISTEN'
  | 'CONNECT'
  /** The payload cannot be sent. */
  | 'PAYLOAD'

/** An error of the TCP engine: a message for people and a code for programs. */
export class TcpError extends Error {
  readonly code: TcpErrorCode

  constructor(code: TcpErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }

  /** Node-RED shows this to users, who have no use for a class name in front. */
  override toString(): string {
    return this.message
  }
}

/** Why a port cannot be listened on, for people. */
export function describeBindError(
  error: NodeJS.ErrnoException,
  { address, port }: { address: string | undefined; port: number },
): TcpError {
  const place = `${address ? `${address} ` : ''}port ${port}`
  const reasons: Record<string, string> = {
    EADDRINUSE: 'it is in use',
    EACCES: 'no permission; ports below 1024 need a privilege, so choose a higher one',
    EADDRNOTAVAIL: 'this machine has no such address',
    ENOTFOUND: 'the address is not known',
  }
  const reason = reasons[error.code ?? ''] ?? error.message
  return new TcpError('LISTEN', `cannot listen on ${place}: ${reason} (${error.code})`, { cause: error })
}

/** The error for bytes to a peer that has gone. */
export function describeClosed(peer: string, { bytes, cause }: { bytes: number; cause: Error | undefined }): TcpError {
  const reason = cause ? `: ${cause.message}` : ''
  return new TcpError('SESSION_CLOSED', `the connection to ${peer} is closed, ${bytes} bytes were not sent${reason}`)
}

/** The error for bytes to a peer whose write buffer is full. */
export function describeSlowPeer(
  peer: string,
  { waiting, bytes, limit }: { waiting: number; bytes: number; limit: { bytes: number; disconnect: boolean } },
): TcpError {
  return new TcpError(
    'SLOW_PEER',
    `${peer} takes its bytes too slowly: ${waiting} bytes wait, ${bytes} more would exceed the limit of ${limit.bytes}` +
      (limit.disconnect ? '; it was disconnected' : ''),
  )
}

/** The system's name of what caused an error, such as `ECONNREFUSED`; undefined where the cause is another. */
export function systemCodeOf({ cause }: Error): string | undefined {
  const code = (cause as { code?: unknown } | undefined)?.code
  return typeof code === 'string' ? code : undefined
}
