// Places that are nearer than they seem: who dials one of them is led to another.

export type Place = { host: string; port: number }

/** Keeps the places that lead elsewhere; none at first. */
export function createShortcuts() {
  const shortcuts = new Map<string, Place>()
  return {
    /** From now on, dialling one place leads to the other; undefined: to itself again. */
    set(from: Place, to: Place | undefined): void {
      if (to) shortcuts.set(keyOf(from), to)
      else shortcuts.delete(keyOf(from))
    },
    /** Where dialling a place leads, if elsewhere. */
    of(place: Place): Place | undefined {
      return shortcuts.get(keyOf(place))
    },
  }
}

export type Shortcuts = ReturnType<typeof createShortcuts>

function keyOf({ host, port }: Place): string {
  return `${host.toLowerCase()} ${port}`
}
