import fc from 'fast-check'
import { expect, test } from 'vitest'
import { RowHeights } from '../../src/assistant/page/state/row-heights.ts'

const indexIn = (keys: readonly number[]) => (key: number) => keys.indexOf(key)

test('stands where adding up all heights would put it, whatever was measured and whichever rows are there', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.nat(200), { minLength: 1, maxLength: 60 }),
      fc.array(fc.record({ key: fc.nat(200), height: fc.integer({ min: 1, max: 90 }) }), { maxLength: 60 }),
      fc.nat(6000),
      (list, measured, y) => {
        const keys = list.toSorted((a, b) => a - b)
        const rows = new RowHeights(25)
        for (const { key, height } of measured) rows.set(key, height)
        rows.arrange(keys.length, indexIn(keys))
        const heights = new Map(measured.map(({ key, height }) => [key, height]))
        const tops = [0]
        for (const key of keys) tops.push(tops.at(-1)! + (heights.get(key) ?? 25))
        expect(tops.map((_, index) => rows.offset(index))).toEqual(tops)
        expect(rows.total).toBe(tops.at(-1))
        const at = tops.slice(0, -1).findLastIndex((top) => top <= y)
        expect(rows.indexAt(y)).toBe(at)
      },
    ),
  )
})

test('tells whether a height is news', () => {
  const rows = new RowHeights(25)
  expect([rows.set(1, 25), rows.set(1, 50), rows.set(1, 50), rows.set(1, 25)]).toEqual([false, true, false, true])
})

test('an empty list has no height', () => {
  const rows = new RowHeights(25)
  rows.arrange(0, () => -1)
  expect([rows.total, rows.indexAt(500)]).toEqual([0, 0])
})
