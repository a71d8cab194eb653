import { stat } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { createAttempts } from '../src/login/attempts.ts'
import { hashPassword } from '../src/login/passwords.ts'

const STRANGERS = 8

test('strangers who try passwords at once keep nothing else waiting: files and names are looked up meanwhile', async () => {
  const attempt = createAttempts({ user: 'admin', password: hashPassword('right') })
  let checked = 0
  const tries = Array.from({ length: STRANGERS }, async (_, at) => {
    const result = await attempt({ user: 'admin', password: 'wrong', address: `198.51.100.${at}` })
    checked++
    return result
  })
  // The checks have begun.
  await Promise.race(tries)
  const before = checked
  await stat('.')
  expect(checked - before).toBeLessThanOrEqual(1)
  expect(new Set((await Promise.all(tries)).map(({ kind }) => kind))).toEqual(new Set(['wrong']))
})
