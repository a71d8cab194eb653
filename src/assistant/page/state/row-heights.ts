/** So many rows are remembered by their height; a row that is forgotten counts as one of the usual height until it is seen again. */
const MAX_KNOWN = 20_000

/**
 * Where each row of a long list stands, when all are as high as usual but those that were measured. Costs what the measured ones cost,
 * not what the list has: a jump in a hundred thousand rows is as quick as in a hundred.
 */
export class RowHeights {
  private readonly usual: number
  /** Heights that are not the usual one, by the key of the row. */
  private readonly known = new Map<number, number>()
  /** The rows of the list that are among them, in order, and by how much all up to each are higher than usual. */
  private indices: number[] = []
  private sums: number[] = []
  private count = 0

  constructor(usual: number) {
    this.usual = usual
  }

  get total(): number {
    return this.offset(this.count)
  }

  /** True when that row was thought to have another height; `arrange` is due then. */
  set(key: number, height: number): boolean {
    if (height === (this.known.get(key) ?? this.usual)) return false
    this.known.delete(key)
    if (height !== this.usual) this.known.set(key, height)
    const [oldest] = this.known.keys()
    if (this.known.size > MAX_KNOWN && oldest !== undefined) this.known.delete(oldest)
    return true
  }

  clear(): void {
    this.known.clear()
  }

  /** The list has so many rows now; `indexOf` tells where the row with a key stands, -1 when it does not. */
  arrange(count: number, indexOf: (key: number) => number): void {
    this.count = count
    const found = [...this.known].flatMap(([key, height]) => {
      const index = indexOf(key)
      return index < 0 ? [] : [{ index, more: height - this.usual }]
    })
    found.sort((a, b) => a.index - b.index)
    let sum = 0
    this.indices = found.map(({ index }) => index)
    this.sums = found.map(({ more }) => (sum += more))
  }

  /** How far the top of a row is from the top of the list. */
  offset(index: number): number {
    let low = 0
    let high = this.indices.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.indices[middle]! < index) low = middle + 1
      else high = middle
    }
    return index * this.usual + (low === 0 ? 0 : this.sums[low - 1]!)
  }

  /** The row that is so far from the top of the list; the last one when that is behind the end. */
  indexAt(offset: number): number {
    let low = 0
    let high = Math.max(0, this.count - 1)
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (this.offset(middle) <= offset) low = middle
      else high = middle - 1
    }
    return low
  }
}
