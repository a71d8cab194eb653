// npm run bench: our TCP nodes beside Node-RED's own and a server on node:net. The table goes to standard output.
import { writeFileSync } from 'node:fs'
import { availableParallelism, loadavg } from 'node:os'
import { fail, say } from '../src/cli/terminal.ts'
import { cleanUp } from '../test/support/engine.ts'
import { writeDocument } from './document.ts'
import { measureWorkload } from './measure.ts'
import { readOptions, type BenchOptions } from './options.ts'
import { describeMachine, describePlace, preparePlace, type Place } from './place.ts'
import type { PartName, PartReport } from './part.ts'
import { PARTS } from './parts.ts'
import { formatRemarks, formatReports, toJson, type Report } from './report.ts'

const INTERRUPTED_EXIT_CODE = 130
const QUIET_LOAD_AVERAGE = 0.5

async function main(): Promise<void> {
  const args = process.argv.slice(2)
  const options = readOptions(args)
  if (options === undefined) return
  const interruption = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(name, () => interruption.abort(new Error(`ended by ${name}`)))
  let place: Place | undefined
  try {
    const noise = describeNoise()
    place = await preparePlace(options, interruption.signal)
    await measure(options, { place, noise, args, signal: interruption.signal })
  } catch (error) {
    if (!interruption.signal.aborted) throw error
    say(String((interruption.signal.reason as Error).message))
    process.exitCode = INTERRUPTED_EXIT_CODE
  } finally {
    if (place?.kind === 'container') await cleanUp()
  }
}

async function measure(
  options: BenchOptions,
  { place, noise, args, signal }: { place: Place; noise: string[]; args: string[]; signal: AbortSignal },
): Promise<void> {
  const machine = await describePlace(place)
  for (const line of [machine, ...noise]) say(line)
  const reports: Report[] = []
  for (const workload of options.workloads) {
    reports.push({ workload, results: await measureWorkload(workload, { ...options, place, signal }) })
  }
  const parts: [PartName, PartReport][] = []
  for (const name of options.parts) {
    const report = await PARTS[name]({ ...options, place, signal })
    if (report) parts.push([name, report])
  }
  const remarks = [...noise, ...formatRemarks(reports)]
  const command = ['npm run bench', ...(args.length > 0 ? ['--', ...args] : [])].join(' ')
  const table = reports.length > 0 ? formatReports(reports) : ''
  const tables = [table, ...parts.map(([, { text }]) => text)].filter((text) => text !== '')
  process.stdout.write(`${[machine, `Median of ${options.rounds} rounds. ${command}`, '', tables.join('\n\n'), ...remarks].join('\n')}\n`)
  const json = [...toJson(reports), ...parts.flatMap(([, report]) => report.json)]
  if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(json, null, 2)}\n`)
  if (options.write && reports.length > 0)
    say(`written: ${writeDocument(formatFigures(reports, { machine, command, table, remarks, options }))}`)
  if (options.write) {
    const measured = `Measured on ${today()} with \`${command}\`. ${await describeMachine(place)}.`
    for (const [name, { text }] of parts) say(`written: ${writeDocument([measured, text, ...noise].join('\n\n'), `bench:${name}`)}`)
  }
  const failed = reports.some(({ results }) => results.some(({ failure }) => failure !== undefined))
  if (failed || parts.some(([, { goalsMet }]) => !goalsMet)) process.exitCode = 1
}

/** What else the machine does makes the figures worse, and not all of them alike. */
function describeNoise(): string[] {
  const load = loadavg()[0] ?? 0
  if (load <= QUIET_LOAD_AVERAGE) return []
  return [`Other programs were running: the load average before the start was ${load.toFixed(1)} on ${availableParallelism()} cores.`]
}

function formatFigures(
  reports: readonly Report[],
  {
    machine,
    command,
    table,
    remarks,
    options,
  }: { machine: string; command: string; table: string; remarks: string[]; options: BenchOptions },
): string {
  const list = (lines: string[]) => lines.map((line) => `- ${line}`).join('\n')
  return [
    `Measured on ${today()} with \`${command}\`: the median of ${options.rounds} rounds, windows of ${options.windowMs / 1000} s. ${machine}.`,
    table,
    ...(remarks.length > 0 ? [list(remarks)] : []),
    list(reports.map(({ workload }) => `**${workload.name}**: ${workload.title}. ${workload.higherIsBetter ? 'More' : 'Less'} is better.`)),
  ].join('\n\n')
}

function today(): string {
  return new Date().toISOString().slice(0, 10)
}

await main().catch(fail)
