import { dirname } from 'node:path'
import { output, run, succeeds } from '../../scripts/support/command.ts'

const home = dirname(dirname(import.meta.dirname))

export const TEST_LABEL = 'node-red-tcp.test'
export const TEST_IMAGE = 'node-red-tcp:test'

/** Whether a Docker engine answers on this machine. */
export async function engineAnswers(): Promise<boolean> {
  return succeeds('docker', ['version', '--format', '{{.Server.Version}}'])
}

/** Builds the image from a folder, showing progress. */
export async function buildImage(tag: string, { context = home }: { context?: string } = {}): Promise<void> {
  const ca = process.env.EXTRA_CA_FILE || process.env.NODE_EXTRA_CA_CERTS || '/dev/null'
  const base = process.env.BASE_IMAGE ? ['--build-arg', `BASE_IMAGE=${process.env.BASE_IMAGE}`] : []
  const args = ['build', '--quiet', '--secret', `id=extra_ca,src=${ca}`, ...base, '--label', `${TEST_LABEL}=image`, '--tag', tag, context]
  await run('docker', args, { env: { ...process.env, DOCKER_BUILDKIT: '1' } })
}

/** Removes every container, network and volume that a run of the tests has labelled, of this run or of one that was interrupted. */
export async function cleanUp(): Promise<void> {
  const filter = ['--filter', `label=${TEST_LABEL}`]
  const containers = await list(['ps', '--all', '--quiet', ...filter])
  if (containers.length > 0) await output('docker', ['rm', '--force', '--volumes', ...containers])
  const volumes = await list(['volume', 'ls', '--quiet', ...filter])
  if (volumes.length > 0) await output('docker', ['volume', 'rm', '--force', ...volumes])
  const networks = await list(['network', 'ls', '--quiet', ...filter])
  if (networks.length > 0) await output('docker', ['network', 'rm', ...networks])
}

async function list(args: string[]): Promise<string[]> {
  return (await output('docker', args)).split('\n').filter(Boolean)
}
