// About what a number, a reference or a property takes in V8's heap.
const VALUE_BYTES = 8
const MAX_VALUES = 100_000

/** About how many bytes a value holds: exactly those of strings and buffers, a small amount for all else that is in it. */
export function weigh(value: unknown): number {
  if (value === undefined || value === null) return 0
  const seen = new Set<object>()
  const open: unknown[] = [value]
  let bytes = 0
  let values = 0
  while (open.length > 0 && values < MAX_VALUES) {
    const one = open.pop()
    values += 1
    if (typeof one === 'string') bytes += Buffer.byteLength(one)
    else if (ArrayBuffer.isView(one)) bytes += one.byteLength
    else bytes += VALUE_BYTES
    if (typeof one !== 'object' || one === null || ArrayBuffer.isView(one) || seen.has(one)) continue
    seen.add(one)
    for (const inside of insideOf(one)) open.push(inside)
  }
  // A value of which only a part was looked at is at least as large as what is left to look at.
  return bytes + open.length * VALUE_BYTES
}

function insideOf(object: object): Iterable<unknown> {
  try {
    return object instanceof Map || object instanceof Set ? object.values() : Object.values(object)
  } catch {
    // A getter or a proxy that throws.
    return []
  }
}
