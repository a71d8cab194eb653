// Who has a port of this machine that somebody else wants, as far as the process knows.

/** `editor` or `status`: those of this distribution; else a node or a process, in words. */
export type Holder = string

/** Knows who can tell who has a port; nobody, at first. */
export function createHolders() {
  let lookUp: (port: number) => Holder | undefined = () => undefined
  return {
    /** Says who can tell. */
    askAt(find: (port: number) => Holder | undefined): void {
      lookUp = find
    },
    /** Who has a port; undefined where nobody knows. */
    of: (port: number): Holder | undefined => lookUp(port),
  }
}

export type Holders = ReturnType<typeof createHolders>

/** A holder in words. */
export function describeHolder(holder: Holder): string {
  if (holder === 'status') return 'the status port of this distribution'
  return holder === 'editor' ? 'the editor of this distribution' : holder
}

/** Whether it is something else than a node of the flows. */
export function isOutside(holder: Holder): boolean {
  return holder === 'status' || holder === 'editor' || holder.includes('process')
}

/** A message about a port that could not be listened on, with who has it. */
export function withHolder(message: string, holder: Holder | undefined): string {
  return holder === undefined ? message : `${message}, by ${describeHolder(holder)}`
}
