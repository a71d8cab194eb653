// Strangers may ask for a page as often as they like, and one of many connections takes a good part of a tenth of a second to make. All
// pages together get a quarter of the time.
const REST = 3

/** Makes what it is given, for all who ask while it waits for its turn. What they get is never older than their question. */
export type Paced = <T>(make: () => T | Promise<T>) => () => Promise<T>

/** One thing is made at a time, and after it none for three times as long as it took. */
export function createPace(): Paced {
  let free: Promise<unknown> = Promise.resolve()

  return <T>(make: () => T | Promise<T>) => {
    let next: Promise<T> | undefined

    async function takeTurn(before: Promise<unknown>, done: () => void): Promise<T> {
      await before
      // Later requests get a newer one.
      next = undefined
      const started = performance.now()
      try {
        return await make()
      } finally {
        setTimeout(done, (performance.now() - started) * REST).unref()
      }
    }

    return () => {
      if (next) return next
      const before = free
      const { promise, resolve } = Promise.withResolvers<void>()
      free = promise
      next = takeTurn(before, resolve)
      return next
    }
  }
}
