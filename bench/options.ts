import { Command } from 'commander'
import { parse, readWhole, UsageError, valued } from '../src/cli/options.ts'
import { PART_NAMES, type PartName } from './part.ts'
import type { Workload } from './workload.ts'
import { WORKLOADS } from './workloads.ts'

const ENOUGH_ROUNDS = 5
const MAX_ROUNDS = 1000
const MS_PER_SECOND = 1000

export type BenchOptions = {
  workloads: readonly Workload[]
  parts: readonly PartName[]
  rounds: number
  windowMs: number
  embedded: boolean
  image: string | undefined
  json: string | undefined
  write: boolean
}

/** @throws Error saying which argument is wrong; undefined: help was asked for and is written */
export function readOptions(args: readonly string[]): BenchOptions | undefined {
  const program = new Command('npm run bench --')
    .description('Measures hardened, core and bare side by side and prints a table.')
    .addOption(
      valued('--rounds <N>', 'rounds per workload, the median counts', (text, name) => readWhole(text, name, [1, MAX_ROUNDS])).default(
        ENOUGH_ROUNDS,
      ),
    )
    .addOption(valued('--seconds <N>', 'length of a measuring window', readSeconds).default(2))
    .addOption(
      valued(
        '--only <A,B>',
        `these workloads only: ${WORKLOADS.map(({ name }) => name).join(', ')}; "echo" stands for all that start with "echo-"; "ports" for live ports, which need Docker; "assistant" for the network debug assistant, which needs Chromium`,
      ),
    )
    .option('--embedded', 'processes of this machine in place of containers')
    .addOption(valued('--image <TAG>', 'this image as it is, in place of one that is built from the checkout').conflicts('embedded'))
    .addOption(valued('--json <FILE>', 'writes every round as JSON'))
    .option('--write', `puts the table into docs/benchmarks.md; the default with all workloads and at least ${ENOUGH_ROUNDS} rounds`)
    .option('--no-write', 'prevents it')
    .helpOption('-h, --help', 'this')
  if (!parse(program, args)) return undefined
  const values = program.opts<Values>()
  return {
    ...choose(values.only),
    rounds: values.rounds,
    windowMs: values.seconds * MS_PER_SECOND,
    embedded: values.embedded === true,
    image: values.image,
    json: values.json,
    write: values.write ?? (values.only === undefined && values.rounds >= ENOUGH_ROUNDS),
  }
}

type Values = {
  rounds: number
  seconds: number
  only?: string
  embedded?: true
  image?: string
  json?: string
  write?: boolean
}

function readSeconds(text: string, name: string): number {
  const seconds = Number(text)
  if (!(seconds > 0 && seconds <= 60)) throw new UsageError(`${name} ${text}: allowed is a number above 0, to 60`)
  return seconds
}

function choose(only: string | undefined): { workloads: readonly Workload[]; parts: readonly PartName[] } {
  if (only === undefined) return { workloads: WORKLOADS, parts: PART_NAMES }
  const wanted = only.split(',').map((name) => name.trim())
  const means = (wish: string, { name }: Workload) => name === wish || name.startsWith(`${wish}-`)
  const known = (wish: string) => PART_NAMES.some((part) => part === wish) || WORKLOADS.some((workload) => means(wish, workload))
  const unknown = wanted.find((wish) => !known(wish))
  if (unknown !== undefined) {
    const names = [...WORKLOADS.map(({ name }) => name), ...PART_NAMES]
    throw new Error(`--only: no workload is called "${unknown}"; there are ${names.join(', ')}`)
  }
  const workloads = WORKLOADS.filter((workload) => wanted.some((wish) => means(wish, workload)))
  return { workloads, parts: PART_NAMES.filter((part) => wanted.includes(part)) }
}
