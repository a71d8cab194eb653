import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { availableParallelism, cpus, release, totalmem, type } from 'node:os'
import { join } from 'node:path'
import { build } from '../scripts/build.ts'
import { say } from '../src/cli/terminal.ts'
import { docker, labelled } from '../test/support/containers.ts'
import { cleanUp, engineAnswers } from '../test/support/engine.ts'

const BENCH_IMAGE = 'node-red-tcp:bench'
const GIB = 1024 ** 3

/** Where the subjects run: containers of an image, or processes of this machine. */
export type Place = { kind: 'container'; image: string } | { kind: 'process' }

/** `embedded`: without containers. `image`: the one to measure; undefined: it is built. */
export type PlaceOptions = { embedded: boolean; image: string | undefined }

/** Makes ready what the subjects run from. */
export async function preparePlace({ embedded, image }: PlaceOptions, signal: AbortSignal): Promise<Place> {
  const hasEngine = !embedded && (await engineAnswers())
  if (!hasEngine) {
    if (image !== undefined) throw new Error(`--image ${image}: no Docker engine answers`)
    say(embedded ? 'measuring processes of this machine' : 'no Docker engine answers: measuring processes of this machine')
    await build()
    return { kind: 'process' }
  }
  await cleanUp()
  if (image !== undefined) return { kind: 'container', image }
  say(`building ${BENCH_IMAGE}`)
  const builder = spawn(process.execPath, [join(import.meta.dirname, 'image.ts'), BENCH_IMAGE], {
    stdio: ['ignore', process.stderr, 'inherit'],
    signal,
  })
  const [code] = (await once(builder, 'exit')) as [number | null]
  if (code !== 0) throw new Error(`${BENCH_IMAGE} was not built; the reason is above`)
  return { kind: 'container', image: BENCH_IMAGE }
}

/** The machine and what ran on it, and how, for those who read the figures later. */
export async function describePlace(place: Place): Promise<string> {
  const machine = await describeMachine(place)
  return place.kind === 'process'
    ? `${machine}; without Docker, as processes of the machine`
    : `${machine}, containers of ${place.image} on the host's network`
}

/** The machine and what ran on it. */
export async function describeMachine(place: Place): Promise<string> {
  const machine = `${availableParallelism()} × ${cpus()[0]?.model.trim() ?? process.arch}, ${Math.round(totalmem() / GIB)} GiB, ${type()} ${release()}`
  const nodeRed = (
    JSON.parse(readFileSync(join(import.meta.dirname, '..', 'package.json'), 'utf8')) as { dependencies: Record<string, string> }
  ).dependencies['node-red']
  if (place.kind === 'process') return `${machine}; Node.js ${process.version}, Node-RED ${nodeRed}`
  const node = await docker('run', '--rm', ...labelled(), '--network', 'none', '--entrypoint', 'node', place.image, '--version')
  const engine = await docker('version', '--format', '{{.Server.Version}}')
  return `${machine}; Node.js ${node}, Node-RED ${nodeRed}; Docker ${engine}`
}
