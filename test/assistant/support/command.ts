import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { dirname, join } from 'node:path'
import { COMPILE_CACHE } from '../../../src/testing/compile-cache.ts'

const home = dirname(dirname(dirname(import.meta.dirname)))
const SCRIPT = join(home, 'scripts', 'assistant.ts')

export type Ended = { code: number | null; stdout: Buffer; stderr: string }

/** The command line as a process of its own, which ends with the test at the latest. */
export class Assistant implements AsyncDisposable {
  readonly child
  readonly ended: Promise<Ended>
  private readonly output: Buffer[] = []
  private errors = ''

  constructor(args: string[], environment: Record<string, string> = {}) {
    const env = { PATH: process.env.PATH, NODE_COMPILE_CACHE: COMPILE_CACHE, ...environment }
    this.child = spawn(process.execPath, [SCRIPT, ...args], { cwd: home, env, stdio: 'pipe' })
    this.child.stdout.on('data', (chunk: Buffer) => this.output.push(chunk))
    this.child.stderr.on('data', (chunk: Buffer) => (this.errors += chunk.toString()))
    // A process that ends before it has read all of its input is none of the test's business.
    this.child.stdin.on('error', () => {})
    this.ended = once(this.child, 'close').then(([code]) => ({ code: code as number | null, stdout: this.stdout, stderr: this.errors }))
  }

  get stdout(): Buffer {
    return Buffer.concat(this.output)
  }

  get stderr(): string {
    return this.errors
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.child.kill()
    await this.ended
  }
}

/** Runs it to its end with this input. */
export async function assist(args: string[], input: string | Buffer = '', environment: Record<string, string> = {}): Promise<Ended> {
  await using assistant = new Assistant(args, environment)
  assistant.child.stdin.end(input)
  return await assistant.ended
}
