import { checkPort, type Step } from '../docker/check.ts'
import { openEngine } from '../docker/docker.ts'
import { DockerUnavailable, PortsError, ProjectUnavailable } from '../docker/errors.ts'
import { readNodeRed } from '../docker/project.ts'
import { survey } from '../docker/survey.ts'
import { watch } from '../docker/watch.ts'
import { needsMending } from '../shared/diagnosis.ts'
import { readArguments, type Arguments } from './arguments.ts'
import { publish, unpublish } from './publishing.ts'
import { formatRows } from './table.ts'
import { describeProblem } from './texts.ts'
import { UsageError } from '../../cli/options.ts'
import { say } from '../../cli/terminal.ts'

const FINE = 0
const NEEDS_MENDING = 1
const UNUSABLE = 2

async function showRows({ command, project, status, json }: Arguments): Promise<number> {
  const engine = await openEngine()
  const { rows, snapshot } = await survey(engine, await readNodeRed(engine, project), status)
  const code = needsMending(rows) ? NEEDS_MENDING : FINE
  if (json) {
    print({ project, flows: snapshot.flows, rows: rows.map((row) => ({ ...row, problems: row.problems.map(withText) })) })
    return code
  }
  console.log(formatRows(rows, { fixes: command === 'doctor' }))
  if (snapshot.flows !== 'started') say(`the flows are not running (${snapshot.flows}): ports may be missing`)
  else if (command === 'list' && code === NEEDS_MENDING) say('npm run ports -- doctor says what mends it')
  return code
}

async function showCheck({ project, port, status, json, ...options }: Arguments & { port: number }): Promise<number> {
  const engine = await openEngine()
  const nodeRed = await readNodeRed(engine, project)
  const steps = await checkPort(engine, nodeRed, { ...options, port, statusUrl: status ?? nodeRed.statusUrl })
  if (json) print({ project, port, steps })
  else for (const step of steps) console.log(formatStep(step))
  return steps.some(({ state }) => state === 'stuck') ? NEEDS_MENDING : FINE
}

async function keepWatching({ project, status, policy }: Arguments): Promise<number> {
  const end = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(name, () => end.abort())
  say(`watching the compose project ${project}; what is published stays when this ends`)
  await watch({ project, statusUrl: status, policy, log: say, signal: end.signal })
  return FINE
}

function formatStep({ step, state, text, fix }: Step): string {
  const mark = { ok: '✓', stuck: '✗', skipped: '·' }[state]
  return [`${mark} ${step.padEnd('connection'.length)}  ${text}`, ...(fix === undefined ? [] : [`    → ${fix}`])].join('\n')
}

function withText(problem: Parameters<typeof describeProblem>[0]) {
  return { ...problem, text: describeProblem(problem) }
}

function print(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value, null, 2)}\n`)
}

async function perform(args: Arguments): Promise<number> {
  const withPort = { ...args, port: args.port ?? 0 }
  switch (args.command) {
    case 'list':
    case 'doctor':
      return await showRows(args)
    case 'publish':
      for (const line of await publish(withPort)) say(line)
      return FINE
    case 'unpublish':
      say(await unpublish(withPort))
      return FINE
    case 'watch':
      return await keepWatching(args)
    case 'check':
      return await showCheck(withPort)
  }
}

/** `npm run ports`; gives the exit code. */
export async function main(args: string[]): Promise<number> {
  try {
    const wanted = readArguments(args)
    return wanted === undefined ? FINE : await perform(wanted)
  } catch (error) {
    if (!(error instanceof UsageError || error instanceof PortsError)) throw error
    say(error.message)
    if (error instanceof UsageError) say('npm run ports -- --help shows how it is used')
    const unusable = error instanceof UsageError || error instanceof DockerUnavailable || error instanceof ProjectUnavailable
    return unusable ? UNUSABLE : NEEDS_MENDING
  }
}
