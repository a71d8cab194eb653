import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'

/** Runs a load generator of this folder as a process of its own, and gives its answer: one line of JSON. */
export async function runLoad<T extends object>(
  script: string,
  job: object,
  { timeoutMs, signal }: { timeoutMs: number; signal: AbortSignal },
): Promise<T> {
  const child = spawn(process.execPath, [join(import.meta.dirname, script), JSON.stringify(job)], {
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: timeoutMs,
    killSignal: 'SIGKILL',
    signal,
  })
  const [answer, [code, killedBy]] = await Promise.all([text(child.stdout), once(child, 'exit') as Promise<[number | null, string | null]>])
  if (killedBy !== null) throw new Error(`not measured within ${timeoutMs / 1000} s`)
  if (answer === '') throw new Error(`the load generator ended with exit code ${code} and no answer`)
  const outcome = JSON.parse(answer) as T | { error: string }
  if ('error' in outcome) throw new Error(outcome.error)
  return outcome
}

/** What a load generator does: reads its job, and ends with its answer or with what went wrong. */
export function answerLoad<J>(load: (job: J) => Promise<object>): void {
  // An error of any socket has no other way to be heard.
  process.on('uncaughtException', (error) => end({ error: error.message }))
  load(JSON.parse(process.argv[2] ?? '') as J).then(end, (error: Error) => end({ error: error.message }))
}

function end(outcome: object): void {
  process.stdout.write(`${JSON.stringify(outcome)}\n`, () => process.exit())
}
