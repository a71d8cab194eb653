/** Tells whoever follows that something is other than before, not what. */
export function createChanges() {
  const followers = new Set<() => void>()
  return {
    tell: (): void => {
      for (const follower of [...followers]) follower()
    },
    /** Calls `follower` at every change until the function that comes back is called. */
    follow: (follower: () => void): (() => void) => {
      followers.add(follower)
      return () => void followers.delete(follower)
    },
  }
}
