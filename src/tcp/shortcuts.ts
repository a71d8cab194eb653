// Addresses that lead back to this process: a dialler of one is sent to another.

export type Place = { host: string; port: number }

/** The addresses that lead elsewhere; none at first. */
export function createShortcuts() {
  const shortcuts = new Map<string, Place>()
  return {
    /** From now on, dialling one address leads to the other; undefined restores it. */
    set(from: Place, to: Place | undefined): void {
      if (to) shortcuts.set(keyOf(from), to)
      else shortcuts.delete(keyOf(from))
    },
    /** Where dialling an address leads; undefined when nowhere else. */
    of(place: Place): Place | undefined {
      return shortcuts.get(keyOf(place))
    },
  }
}

export type Shortcuts = ReturnType<typeof createShortcuts>

function keyOf({ host, port }: Place): string {
  return `${host.toLowerCase()} ${port}`
}
