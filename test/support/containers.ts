import { output } from '../../src/cli/command.ts'
import { RUN_NAME, TEST_LABEL } from './engine.ts'

const END_TIMEOUT_MS = 30_000

/** Runs docker with these arguments; what it creates is labelled for the clean-up of the run by `labelled`. */
export async function docker(...args: string[]): Promise<string> {
  return await output('docker', args)
}

/** Arguments that label a container or volume. */
export function labelled(): string[] {
  return ['--label', `${TEST_LABEL}=${RUN_NAME}`]
}

/** Creates a volume that the clean-up of the run knows, and removes it at the end of the scope. */
export async function createVolume(): Promise<{ name: string } & AsyncDisposable> {
  const name = await docker('volume', 'create', ...labelled())
  return { name, [Symbol.asyncDispose]: async () => void (await docker('volume', 'rm', '--force', name)) }
}

/** Runs the image to its end and tells exit code and output. */
export async function runToEnd(...args: string[]): Promise<{ code: number; log: string }> {
  const id = await docker('create', ...labelled(), ...args)
  try {
    await docker('start', id)
    const code = Number(await output('docker', ['wait', id], { timeout: END_TIMEOUT_MS }))
    return { code, log: await logsOf(id) }
  } finally {
    await docker('rm', '--force', '--volumes', id)
  }
}

/** Standard output and standard error of a container. */
export async function logsOf(id: string): Promise<string> {
  return await output('sh', ['-c', 'docker logs "$0" 2>&1', id])
}
