import fc from 'fast-check'

/** Where to cut: thousandths of the length of whatever is cut. */
export type Cuts = number[] | 'between all'

export const cuts: fc.Arbitrary<Cuts> = fc.oneof(
  { weight: 3, arbitrary: fc.array(fc.nat(1000), { maxLength: 12 }) },
  { weight: 1, arbitrary: fc.constant('between all' as const) },
)

/** Bytes of a small alphabet, so that delimiters, marks and beginnings of them are frequent. */
export function bytesOf(alphabet: readonly number[], maxLength = 200): fc.Arbitrary<Buffer> {
  return fc.array(fc.constantFrom(...alphabet), { maxLength, size: 'max' }).map((bytes) => Buffer.from(bytes))
}

/** All bytes in order, in chunks; some may be empty. */
export function split(bytes: Buffer, cuts: Cuts): Buffer[] {
  return places(bytes.length, cuts).map(([from, to]) => bytes.subarray(from, to))
}

export function splitText(text: string, cuts: Cuts): string[] {
  return places(text.length, cuts).map(([from, to]) => text.slice(from, to))
}

function places(length: number, cuts: Cuts): [from: number, to: number][] {
  const inner = cuts === 'between all' ? Array.from({ length }, (_, place) => place) : cuts.map((cut) => Math.round((cut / 1000) * length))
  const starts = [0, ...inner.sort((a, b) => a - b)]
  return starts.map((start, index) => [start, starts[index + 1] ?? length])
}
