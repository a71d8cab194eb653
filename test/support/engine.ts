import { dirname } from 'node:path'
import { output, run, succeeds } from '../../src/cli/command.ts'

const home = dirname(dirname(import.meta.dirname))

// The process of `npm test`; workers inherit its number.
const RUN = (process.env.NODE_RED_TCP_TEST_RUN ??= String(process.pid))

export const HOW_TO_GET_AN_ENGINE =
  'scripts/docker-engine.sh installs and starts one on Debian; https://docs.docker.com/engine/install/ has the others'

export const TEST_LABEL = 'node-red-tcp.test'
/** The value of the label on all that this run creates, and the start of the names of its Compose projects. */
export const RUN_NAME = `node-red-tcp-test-${RUN}`
/** Another name lets two checkouts be tested at once on one engine. */
export const TEST_IMAGE = process.env.TEST_IMAGE || 'node-red-tcp:test'

/** Whether a Docker engine answers on this machine. */
export async function engineAnswers(): Promise<boolean> {
  return await succeeds('docker', ['version', '--format', '{{.Server.Version}}'])
}

/** Builds the image from a folder, or another target of its Dockerfile, showing progress. */
export async function buildImage(tag: string, { context = home, target }: { context?: string; target?: string } = {}): Promise<void> {
  const ca = process.env.EXTRA_CA_FILE || process.env.NODE_EXTRA_CA_CERTS || '/dev/null'
  const base = process.env.BASE_IMAGE ? ['--build-arg', `BASE_IMAGE=${process.env.BASE_IMAGE}`] : []
  const only = target === undefined ? [] : ['--target', target]
  const args = ['build', '--quiet', '--secret', `id=extra_ca,src=${ca}`, ...base, ...only, '--tag', tag, context]
  await run('docker', args, { env: { ...process.env, DOCKER_BUILDKIT: '1' } })
}

/** Builds the image and those of live ports, under the names that docker-compose.yml derives from it. */
export async function buildImages(tag: string): Promise<void> {
  await buildImage(tag)
  for (const target of ['relay', 'live-ports']) await buildImage(`${tag}-${target}`, { target })
}

/** Removes all containers, networks and volumes of this run, and of runs that ended without doing so. */
export async function cleanUp(): Promise<void> {
  for (const { list, remove, id } of KINDS) {
    const rows = (await output('docker', [...list, '--format', ROW + id])).split('\n')
    const left = rows.map(parseRow).filter(({ run }) => run !== undefined && (run === RUN || !isAlive(run)))
    if (left.length > 0) await output('docker', [...remove, ...left.map((row) => row.id)])
  }
}

// Compose labels what it makes with the project's name; ours is made of the run's.
const ROW = `{{if .Label "${TEST_LABEL}"}}{{.Label "${TEST_LABEL}"}}{{else}}{{.Label "com.docker.compose.project"}}{{end}} `
const KINDS = [
  { list: ['ps', '--all'], remove: ['rm', '--force', '--volumes'], id: '{{.ID}}' },
  { list: ['volume', 'ls'], remove: ['volume', 'rm', '--force'], id: '{{.Name}}' },
  { list: ['network', 'ls'], remove: ['network', 'rm'], id: '{{.ID}}' },
]

function parseRow(row: string): { run: string | undefined; id: string } {
  const [label = '', id = ''] = row.split(' ')
  return { run: /^node-red-tcp-test-(\d+)/.exec(label)?.[1], id }
}

function isAlive(run: string): boolean {
  try {
    process.kill(Number(run), 0)
    return true
  } catch {
    return false
  }
}
