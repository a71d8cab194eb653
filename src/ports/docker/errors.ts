/** An error that the user can fix; the message says how. */
export class PortsError extends Error {}

/** Docker cannot be used at all. */
export class DockerUnavailable extends PortsError {}

/** The compose project is not there, or its Node-RED does not run or answer. */
export class ProjectUnavailable extends PortsError {}

/** A forwarder could not be started. `HOST_PORT_TAKEN`: somebody else has the port; `REFUSED`: any other reason. */
export class PublishError extends PortsError {
  readonly code: 'HOST_PORT_TAKEN' | 'REFUSED'

  constructor(code: 'HOST_PORT_TAKEN' | 'REFUSED', message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** An error of dockerode: the HTTP status and the engine's message, or a socket's code. */
export type EngineError = Error & { statusCode?: number; json?: { message?: string }; code?: string; address?: string; path?: string }

export function statusOf(error: unknown): number | undefined {
  return (error as EngineError).statusCode
}

/** The engine's own words, without what dockerode puts around them. */
export function engineMessage(error: unknown): string {
  const { json, message } = error as EngineError
  return (json?.message ?? message).trim()
}

/** Says what to do when the engine does not answer; other errors come back as they are. */
export function explainUnreachable(error: unknown, where: string): Error {
  const { code, message } = error as EngineError
  const other = 'DOCKER_HOST names another engine'
  switch (code) {
    case 'ENOENT':
      return new DockerUnavailable(`no Docker engine at ${where}: install or start it (sudo systemctl start docker). ${other}`)
    case 'EACCES':
    case 'EPERM':
      return new DockerUnavailable(
        `this user may not use the Docker engine at ${where}: sudo usermod -aG docker $USER, then log in again; or use sudo`,
      )
    case 'ECONNREFUSED':
      return new DockerUnavailable(`no Docker engine answers at ${where}: start it (sudo systemctl start docker). ${other}`)
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'ETIMEDOUT':
    case 'ENOTDIR':
    case 'ECONNRESET':
    case 'EPIPE':
      return new DockerUnavailable(`the Docker engine at ${where} cannot be reached: ${message}. ${other}`)
    default:
      return error instanceof Error ? error : new Error(String(error))
  }
}
