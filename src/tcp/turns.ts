// A session with many payloads passes them on in turns. Each is work for the flow, and no other session is served until it is done.

/** How many payloads are passed on in one turn of the event loop, by one session at once or by all that wait. */
export const PAYLOADS_A_TURN = 128
const FEWEST = 4

/** A session that has more to pass on. */
export type TurnTaker = { takeTurn: (most: number) => void }

let waiting: TurnTaker[] = []

/** Lets `taker` go on in the next turn of the event loop, with its share of payloads. */
export function waitForTurn(taker: TurnTaker): void {
  if (waiting.push(taker) === 1) setImmediate(giveTurns)
}

function giveTurns(): void {
  const takers = waiting
  waiting = []
  const share = Math.max(FEWEST, Math.floor(PAYLOADS_A_TURN / takers.length))
  for (const taker of takers) taker.takeTurn(share)
}
