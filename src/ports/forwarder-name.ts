/** The host name of the forwarder of a port on the project's network. It is Docker that gives it, so nobody else can claim it. */
export function forwarderHostName(port: number): string {
  return `forwarder-${port}`
}

/** What the name of its container ends in, behind that of the project. */
export function forwarderNameEnd(port: number): string {
  return `-port-${port}`
}
