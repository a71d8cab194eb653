// Reading a long body may take a good part of a second, be it of a few megabytes only: of many that are whole at the same time, each has
// a turn of its own, and whoever else has sent something is served in between.
const waiting: (() => void)[] = []

/** Calls back in a later turn of the event loop, which nobody else has. */
export function takeTurn(go: () => void): void {
  if (waiting.push(go) === 1) setImmediate(next)
}

function next(): void {
  waiting[0]!()
  setImmediate(() => {
    waiting.shift()
    if (waiting.length > 0) next()
  })
}
