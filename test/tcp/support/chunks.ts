import fc from 'fast-check'

/** Bytes of a small alphabet, so that delimiters, marks and beginnings of them are frequent. */
export function bytesOf(alphabet: readonly number[], maxLength = 200): fc.Arbitrary<Buffer> {
  return fc.array(fc.constantFrom(...alphabet), { maxLength }).map((bytes) => Buffer.from(bytes))
}

/** Where to cut: fractions of the length of whatever is cut. */
export const cuts: fc.Arbitrary<number[]> = fc.oneof(
  fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 12 }),
  // Every byte on its own, for inputs of up to a thousand.
  fc.constant(Array.from({ length: 1000 }, (_, index) => index / 1000)),
)

/** All of the bytes in order, in chunks; some may be empty. */
export function split(bytes: Buffer, fractions: readonly number[]): Buffer[] {
  const places = fractions.map((fraction) => Math.round(fraction * bytes.length)).sort((a, b) => a - b)
  return [0, ...places].map((place, index) => bytes.subarray(place, places[index] ?? bytes.length))
}
