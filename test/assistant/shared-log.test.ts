import { describe, expect, test } from 'vitest'
import { measureLatency, type Timed } from '../../src/assistant/shared/latency.ts'
import { createSearch, type Query, type Searched } from '../../src/assistant/shared/search.ts'

const bytes = (text: string) => new TextEncoder().encode(text)

describe('search', () => {
  const log: Searched[] = [
    { dir: 'rx', peer: 'a', data: bytes('Hello (1)') },
    { dir: 'tx', peer: 'a', data: bytes('hello <b>') },
    { dir: 'rx', peer: 'b', data: Uint8Array.of(1, 2, 3) },
    { dir: 'note', peer: '', text: 'connected' },
  ]
  function find(query: Partial<Query>): number[] {
    const result = createSearch({ by: 'text', text: '', ...query })
    if ('reason' in result) throw new Error(result.reason)
    return log.flatMap((entry, index) => (result.search.matches(entry) ? [index] : []))
  }

  test.each<[Partial<Query>, number[]]>([
    [{}, [0, 1, 2, 3]],
    [{ text: 'HELLO' }, [0, 1]],
    [{ text: 'HELLO', caseSensitive: true }, []],
    [{ text: '(1)' }, [0]],
    [{ text: 'CONN' }, [3]],
    [{ by: 'regex', text: '^h.*>$' }, [1]],
    [{ by: 'hex', text: '02 03' }, [2]],
    [{ by: 'hex', text: '01??03' }, [2]],
    [{ dir: 'rx' }, [0, 2]],
    [{ peer: 'a', dir: 'tx' }, [1]],
    [{ text: 'hello', peer: 'b' }, []],
  ])('%j', (query, found) => {
    expect(find(query)).toEqual(found)
  })

  test('says where hits are', () => {
    const result = createSearch({ by: 'regex', text: '[0-9]+|x*' })
    expect('search' in result && result.search.ranges('a12b3')).toEqual([
      [1, 3],
      [4, 5],
    ])
  })

  test.each<Query>([
    { by: 'regex', text: '(' },
    { by: 'hex', text: '0' },
  ])('%j is refused with a reason', (query) => {
    expect(createSearch(query)).toHaveProperty('reason')
  })
})

describe('latency', () => {
  const entry = (n: number, t: number, dir: Timed['dir'], peer = 'a'): Timed => ({ n, t, dir, peer, data: '' })

  test('pairs each request with the reply behind it, peer by peer', () => {
    const view = measureLatency([
      entry(1, 0, 'tx'),
      entry(2, 10, 'tx', 'b'),
      entry(3, 400, 'rx'),
      entry(4, 500, 'rx'),
      entry(5, 2010, 'rx', 'b'),
      entry(6, 3000, 'tx'),
    ])
    expect(view.pairs).toEqual([
      { request: 1, reply: 3, peer: 'a', us: 400 },
      { request: 2, reply: 5, peer: 'b', us: 2000 },
    ])
    expect(view).toMatchObject({ unanswered: 1, stats: { count: 2, min: 400, max: 2000, mean: 1200, p50: 400, p95: 2000, p99: 2000 } })
    expect(view.buckets).toEqual([
      { upTo: 500, count: 1 },
      { upTo: 1000, count: 0 },
      { upTo: 2000, count: 1 },
    ])
  })

  test('whoever speaks first asks, unless it is said who does', () => {
    const log = [entry(1, 0, 'rx'), entry(2, 5, 'tx'), entry(3, 9, 'rx')]
    expect(measureLatency(log).pairs).toMatchObject([{ request: 1, reply: 2 }])
    expect(measureLatency(log, 'tx').pairs).toMatchObject([{ request: 2, reply: 3 }])
  })

  test('of nothing there is none', () => {
    expect(measureLatency([{ n: 1, t: 0, dir: 'note', peer: '' }])).toEqual({ pairs: [], buckets: [], unanswered: 0 })
  })
})
