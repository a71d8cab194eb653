import type { Talk } from './arguments.ts'

export type Why = 'expected' | 'failed' | 'gone' | 'late' | 'idle' | 'asked'

export type Ending = ReturnType<typeof createEnding>

/** When a conversation is over: the one place that knows. */
export function createEnding({ forMs, idleMs, expected }: Talk) {
  let idle: NodeJS.Timeout | undefined
  let inputOver = false
  let over = false
  let wasConnected = false
  let print = (line: string): void => void process.stdout.write(`${line}\n`)
  const done = Promise.withResolvers<{ why: Why; cause: unknown }>()
  const connection = Promise.withResolvers<void>()
  const late = forMs === undefined ? undefined : setTimeout(() => end('late'), forMs)
  const asked = () => end('asked')
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, asked)
  // Whoever reads our output may leave: head does.
  process.stdout.once('error', asked)

  function end(why: Why, cause?: unknown): void {
    if (over) return
    over = true
    clearTimeout(late)
    clearTimeout(idle)
    connection.resolve()
    done.resolve({ why, cause })
  }

  function watchIdle(): void {
    clearTimeout(idle)
    // Without anything more to send, silence is the end; unless something is expected or a time was given.
    if (inputOver && !over && forMs === undefined && expected.length === 0) idle = setTimeout(() => end('idle'), idleMs)
  }

  return {
    done: done.promise,
    whenConnected: connection.promise,
    end,
    get over() {
      return over
    },
    get wasConnected() {
      return wasConnected
    },
    connected(): void {
      wasConnected = true
      connection.resolve()
    },
    heard: watchIdle,
    inputEnded(): void {
      inputOver = true
      watchIdle()
    },
    print: (line: string) => print(line),
    /** Lines go through this from now on: a prompt has to make room for them. */
    printBy(printer: (line: string) => void): void {
      print = printer
    },
  }
}
