import { parse } from 'node:path'

const command = parse(process.argv[1] ?? '').name

/** Progress for people, on standard error, so that standard output stays clean for data. */
export function say(message: string): void {
  process.stderr.write(`${command}: ${message}\n`)
}

/** Ends the command with an error message and exit code 1, without a stack trace. */
export function fail(error: unknown): never {
  say(error instanceof Error ? error.message : String(error))
  process.exit(1)
}
