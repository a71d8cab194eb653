// npm run ports -- list | doctor | publish <port> | unpublish <port> | watch | check <port>
// Compares what flows listen on with what Docker publishes, and starts a small forwarder for a port that is published nowhere.
import { checkPort, type Step } from '../src/ports/docker/check.ts'
import { openEngine } from '../src/ports/docker/docker.ts'
import { DockerUnavailable, PortsError, ProjectUnavailable } from '../src/ports/docker/errors.ts'
import { readNodeRed } from '../src/ports/docker/project.ts'
import { survey } from '../src/ports/docker/survey.ts'
import { watch } from '../src/ports/docker/watch.ts'
import { needsMending } from '../src/ports/diagnosis.ts'
import { readArguments, USAGE, UsageError, type Arguments } from '../src/ports/command/arguments.ts'
import { publish, unpublish } from '../src/ports/command/publishing.ts'
import { formatRows } from '../src/ports/command/table.ts'
import { describeProblem } from '../src/ports/command/texts.ts'
import { say } from '../src/cli/terminal.ts'

const NEEDS_MENDING = 1
const UNUSABLE = 2

async function showRows({ command, project, status, json }: Arguments): Promise<void> {
  const engine = await openEngine()
  const { rows, snapshot } = await survey(engine, await readNodeRed(engine, project), status)
  if (needsMending(rows)) process.exitCode = NEEDS_MENDING
  if (json) return print({ project, flows: snapshot.flows, rows: rows.map((row) => ({ ...row, problems: row.problems.map(withText) })) })
  console.log(formatRows(rows, { fixes: command === 'doctor' }))
  if (snapshot.flows !== 'started') say(`the flows are not running (${snapshot.flows}): ports may be missing`)
  else if (command === 'list' && needsMending(rows)) say('npm run ports -- doctor says what mends it')
}

async function showCheck({ project, port, status, json, ...options }: Arguments & { port: number }): Promise<void> {
  const engine = await openEngine()
  const nodeRed = await readNodeRed(engine, project)
  const steps = await checkPort(engine, nodeRed, { ...options, port, statusUrl: status ?? nodeRed.statusUrl })
  if (steps.some(({ state }) => state === 'stuck')) process.exitCode = NEEDS_MENDING
  if (json) return print({ project, port, steps })
  for (const step of steps) console.log(formatStep(step))
}

async function keepWatching({ project, status, policy }: Arguments): Promise<void> {
  const end = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(name, () => end.abort())
  say(`watching the compose project ${project}; what is published stays when this ends`)
  await watch({ project, statusUrl: status, policy, log: say, signal: end.signal })
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

async function main(): Promise<void> {
  const args = readArguments(process.argv.slice(2))
  if (!args) return console.log(USAGE)
  const withPort = { ...args, port: args.port ?? 0 }
  switch (args.command) {
    case 'list':
    case 'doctor':
      return await showRows(args)
    case 'publish':
      return (await publish(withPort)).forEach((line) => say(line))
    case 'unpublish':
      return say(await unpublish(withPort))
    case 'watch':
      return await keepWatching(args)
    case 'check':
      return await showCheck(withPort)
  }
}

await main().catch((error: unknown) => {
  if (!(error instanceof UsageError || error instanceof PortsError)) throw error
  say(error.message)
  if (error instanceof UsageError) say('npm run ports -- --help shows how it is used')
  const unusable = error instanceof UsageError || error instanceof DockerUnavailable || error instanceof ProjectUnavailable
  process.exit(unusable ? UNUSABLE : NEEDS_MENDING)
})
