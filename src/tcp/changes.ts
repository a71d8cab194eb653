/** Tells followers that something has changed, but not what. */
export function createChanges() {
  const followers = new Set<() => void>()
  return {
    tell: (): void => {
      for (const follower of [...followers]) follower()
    },
    /** Calls `follower` at every change. Returns a function that stops it. */
    follow: (follower: () => void): (() => void) => {
      followers.add(follower)
      return () => void followers.delete(follower)
    },
  }
}
