import { expect, test } from 'vitest'
import { createPublished } from '../../src/ports/published.ts'
import { parsePublishedPorts } from '../../src/ports/ranges.ts'

test.each([
  ['unknown', 'unknown'],
  ['0.0.0.0:9500-9519', [{ address: '0.0.0.0', first: 9500, last: 9519 }]],
  ['127.0.0.1:9500', [{ address: '127.0.0.1', first: 9500, last: 9500 }]],
  ['[::]:9500, 10.0.0.1:1-65535', [{ address: '::', first: 9500, last: 9500 }, { address: '10.0.0.1', first: 1, last: 65535 }]], // prettier-ignore
  ['::1:9500', [{ address: '::1', first: 9500, last: 9500 }]],
])('reads PUBLISHED_PORTS=%s', (text, expected) => {
  expect(parsePublishedPorts(text)).toEqual(expected)
})

test.each([
  '',
  '9500',
  '9500-9519',
  'localhost:9500',
  '0.0.0.0:',
  '0.0.0.0:0',
  '0.0.0.0:70000',
  '0.0.0.0:9519-9500',
  '0.0.0.0:1,',
  '[::1:9500',
])('does not take PUBLISHED_PORTS=%s', (text) => expect(parsePublishedPorts(text)).toBeUndefined())

test('a port of a range is published under its own number, another is not', () => {
  const published = createPublished()
  published.configure(parsePublishedPorts('0.0.0.0:9500-9519,[::]:9501'))
  expect(published.reach([9501, 15502])).toEqual({
    kind: 'mapped',
    publications: [
      { port: 9501, by: 'range', address: '0.0.0.0', hostPort: 9501 },
      { port: 9501, by: 'range', address: '::', hostPort: 9501 },
    ],
    failures: [],
  })
})

test('without PUBLISHED_PORTS nothing is in between, whatever is announced', () => {
  const published = createPublished()
  published.announce({ port: 15502, address: '0.0.0.0', hostPort: 15502 })
  expect(published.reach([15502])).toEqual({ kind: 'direct' })
})

test('where nothing is known, an announcement is all that is known', () => {
  const published = createPublished()
  published.configure('unknown')
  expect(published.reach([15502])).toEqual({ kind: 'unknown' })
  published.announce({ port: 15502, address: '0.0.0.0', hostPort: 15502 })
  expect(published.reach([15502])).toEqual({
    kind: 'mapped',
    partial: true,
    publications: [{ port: 15502, by: 'forwarder', address: '0.0.0.0', hostPort: 15502 }],
    failures: [],
  })
})

test('an announcement and a failure go when they are not said again, and each change is told once', async () => {
  const published = createPublished({ announcedMs: 200, failedMs: 200 })
  published.configure([])
  const seen: unknown[] = []
  published.follow(() => seen.push(published.reach([])))
  published.announce({ port: 15502, address: '0.0.0.0', hostPort: 15502 })
  published.announce({ port: 15502, address: '0.0.0.0', hostPort: 15502 })
  published.announceFailure({ port: 15503, hostPort: 15503, code: 'HOST_PORT_TAKEN' })
  await expect.poll(() => published.reach([])).toEqual({ kind: 'mapped', publications: [], failures: [] })
  expect(seen).toHaveLength(4)
})

test('an announcement ends a failure of its port', () => {
  const published = createPublished()
  published.configure([])
  published.announceFailure({ port: 15502, hostPort: 15502, code: 'REFUSED', detail: 'why' })
  published.announce({ port: 15502, address: '0.0.0.0', hostPort: 15503 })
  expect(published.reach([])).toMatchObject({ publications: [{ hostPort: 15503 }], failures: [] })
})

test('keeps 200 announcements and failures at most, the latest', () => {
  const published = createPublished()
  published.configure([])
  for (let port = 1; port <= 300; port += 1) {
    published.announce({ port, address: '0.0.0.0', hostPort: port })
    published.announceFailure({ port: port + 1000, hostPort: port, code: 'REFUSED' })
  }
  const reach = published.reach([])
  if (reach.kind !== 'mapped') throw new Error(reach.kind)
  expect([reach.publications.length, reach.failures.length]).toEqual([200, 200])
  expect(reach.publications.map(({ port }) => port)).toContain(300)
})
