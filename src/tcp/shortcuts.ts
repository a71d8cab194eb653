// Places that are nearer than they seem: who dials one of them is led to another.

export type Place = { host: string; port: number }

const shortcuts = new Map<string, Place>()

/** From now on, dialling one place leads to the other; undefined: to itself again. */
export function setShortcut(from: Place, to: Place | undefined): void {
  if (to) shortcuts.set(keyOf(from), to)
  else shortcuts.delete(keyOf(from))
}

export function shortcutOf(place: Place): Place | undefined {
  return shortcuts.get(keyOf(place))
}

function keyOf({ host, port }: Place): string {
  return `${host.toLowerCase()} ${port}`
}
