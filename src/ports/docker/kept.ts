import type { Forwarder } from './forwarders.ts'
import type { ForwarderSpec } from './labels.ts'

/**
 * What people have published, as a watcher has seen it. `docker compose up` takes such forwarders away, for it wants none of the service
 * `forwarder`; the watcher knows from here what to bring back.
 */
export function createKept() {
  const specs = new Map<number, ForwarderSpec>()
  return {
    see(forwarders: readonly Forwarder[]): void {
      for (const { port, hostPort, bind, origin } of forwarders) {
        if (origin === 'publish') specs.set(port, { port, hostPort, bind, origin })
        else specs.delete(port)
      }
    },
    /** A person has removed it. */
    forget: (port: number): boolean => specs.delete(port),
    /** The project is gone, or events were missed. */
    forgetAll: (): void => specs.clear(),
    all: (): ForwarderSpec[] => [...specs.values()],
  }
}
