import { expect, test } from 'vitest'
import { createNewcomers } from '../../src/plugins/ports/newcomers.ts'
import type { PortRow, Problem, ProblemCode } from '../../src/ports/shared/diagnosis.ts'

const GRACE_MS = 150

function row(port: number, code?: ProblemCode): PortRow {
  const problems: Problem[] = code ? [{ code, params: { port }, fix: '' }] : []
  return { kind: 'listener', port, state: 'listening', declaredBy: [], published: [], clients: 0, problems }
}

function create(graceMs = 0) {
  const told: number[][] = []
  const newcomers = createNewcomers({
    graceMs: () => graceMs,
    tell: (problems) => told.push(problems.map(({ params }) => Number(params.port))),
  })
  return { newcomers, told }
}

test('a port is reported once per deploy, old ones never', () => {
  const { newcomers, told } = create()
  newcomers.look([row(1, 'NOT_PUBLISHED')])
  newcomers.startDeploy()
  newcomers.look([row(1, 'NOT_PUBLISHED'), row(2, 'NOT_PUBLISHED'), row(3)])
  newcomers.look([row(1, 'NOT_PUBLISHED'), row(2, 'NOT_PUBLISHED')])
  expect(told).toEqual([[2]])
  newcomers.startDeploy()
  newcomers.look([row(1, 'NOT_PUBLISHED'), row(2, 'NOT_PUBLISHED')])
  newcomers.startDeploy()
  newcomers.look([])
  newcomers.startDeploy()
  newcomers.look([row(2, 'HOST_PORT_TAKEN')])
  expect(told).toEqual([[2], [2]])
})

test('nothing is reported before the first deploy', () => {
  const { newcomers, told } = create()
  newcomers.look([row(1, 'NOT_PUBLISHED')])
  expect(told).toEqual([])
})

test('who publishes ports by themselves has time for it', async () => {
  const { newcomers, told } = create(GRACE_MS)
  newcomers.startDeploy()
  newcomers.look([row(1, 'NOT_PUBLISHED'), row(2, 'NOT_PUBLISHED'), row(3, 'HOST_PORT_TAKEN')])
  expect(told).toEqual([[3]])
  newcomers.look([row(1), row(2, 'NOT_PUBLISHED'), row(3, 'HOST_PORT_TAKEN')])
  await expect.poll(() => told).toEqual([[3], [2]])
})
