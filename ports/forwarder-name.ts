/** The host name of the forwarder of a port on the project's network. It is Docker that gives it, so nobody else can claim it. */
export function forwarderHostName(port: number): string {
  return `forwarder-${port}`
}
