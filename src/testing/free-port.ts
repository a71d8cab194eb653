import { once } from 'node:events'
import { createServer } from 'node:net'

// Below the ports that the kernel gives to outgoing connections, so that none of those takes it in between.
const LOWEST = 20_000
const HIGHEST = 29_999
const TRIES = 100

// To the kernel, a port handed out but not used yet is free.
const given = new Set<number>()

/** A port of this host that nobody listens on, another one each time. */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < TRIES; attempt += 1) {
    const port = LOWEST + Math.floor(Math.random() * (HIGHEST - LOWEST))
    if (given.has(port)) continue
    given.add(port)
    const server = createServer().listen(port, '0.0.0.0')
    const free = await once(server, 'listening').then(
      () => true,
      () => false,
    )
    if (!free) continue
    server.close()
    await once(server, 'close')
    return port
  }
  throw new Error(`no free port found between ${LOWEST} and ${HIGHEST} in ${TRIES} tries`)
}
