import { open, probe } from './clients.ts'

/** What flow and server say once they have got all of something. */
export const DONE = 'done\n'

/**
 * A connection on which the subject says when it has got all. `transferOf(bytes)` sends that much; what comes back resolves
 * when the subject says that it was.
 */
export async function openControl(port: number, transfer: (bytes: number) => Promise<void>): Promise<(bytes: number) => Promise<void>> {
  const control = await open(port)
  let heard = false
  let onDone = () => {}
  control.on('data', () => {
    heard = true
    onDone()
  })
  await probe(
    () => transfer(1),
    () => heard,
  )
  return async (bytes) => {
    const { promise, resolve } = Promise.withResolvers<void>()
    onDone = resolve
    await transfer(bytes)
    await promise
  }
}
