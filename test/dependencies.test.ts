import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

/** The first version of each major that is mended; what is below, or of another major, may not be in the tree. */
const MENDED: Record<string, { versions: string[]; fault: string }> = {
  ws: { versions: ['7.5.14', '8.23.0'], fault: 'queues a pong for every ping of a client that reads nothing, without a bound' },
}

type Lock = { packages: Record<string, { version?: string }> }

const lock = JSON.parse(readFileSync(join(import.meta.dirname, '..', 'package-lock.json'), 'utf8')) as Lock

test.each(Object.entries(MENDED))('no version of %s that is known to be bad is in the tree', (name, { versions, fault }) => {
  const found = Object.entries(lock.packages).filter(([path]) => path.endsWith(`node_modules/${name}`))
  expect(found).not.toEqual([])
  const bad = found.filter(([, { version = '' }]) => !versions.some((mended) => isMended(version, mended)))
  expect(
    bad.map(([path, { version }]) => `${path}@${version} ${fault}`),
    'raise it by "overrides" in package.json',
  ).toEqual([])
})

/** Whether a version is this one, or a later one of the same major. */
function isMended(version: string, mended: string): boolean {
  const [given, first] = [version, mended].map((text) => text.split('.').map(Number))
  if (given!.length !== 3 || given![0] !== first![0]) return false
  const differing = first!.findIndex((part, index) => part !== given![index])
  return differing === -1 || given![differing]! > first![differing]!
}
