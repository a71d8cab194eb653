// How many names of peers are remembered, so that the same one again is told apart in the log.
const MAX_NAMES = 4_096

/** Gives ids to peers by their addresses: `10.0.0.5:9501`, and `10.0.0.5:9501#2` when it comes again. */
export function createNames(): { next: (name: string) => string } {
  const seen = new Map<string, number>()
  return {
    next(name) {
      const times = (seen.get(name) ?? 0) + 1
      seen.delete(name)
      seen.set(name, times)
      if (seen.size > MAX_NAMES) seen.delete(seen.keys().next().value!)
      return times === 1 ? name : `${name}#${times}`
    },
  }
}
