import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { promisify } from 'node:util'

const execFileAsync = promisify(execFile)
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024

type CommandOptions = { cwd?: string; env?: NodeJS.ProcessEnv; timeout?: number }

/** Runs a command with its output shown; throws when it does not end with exit code 0. */
export async function run(command: string, args: string[], options: CommandOptions = {}): Promise<void> {
  const child = spawn(command, args, { stdio: 'inherit', ...options })
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null]
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${signal ?? `exit code ${code}`}`)
}

/** Runs a command and returns its standard output, trimmed. Errors carry what it wrote to standard error. */
export async function output(command: string, args: string[], options: CommandOptions = {}): Promise<string> {
  const { stdout } = await execFileAsync(command, args, { maxBuffer: MAX_OUTPUT_BYTES, ...options })
  return stdout.trim()
}

/** Whether a command ends with exit code 0. */
export async function succeeds(command: string, args: string[], options: CommandOptions = {}): Promise<boolean> {
  return execFileAsync(command, args, { maxBuffer: MAX_OUTPUT_BYTES, ...options }).then(
    () => true,
    () => false,
  )
}

/** Whether a command is in PATH. */
export async function hasCommand(name: string): Promise<boolean> {
  return succeeds('sh', ['-c', 'command -v "$0"', name])
}
