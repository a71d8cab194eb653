import { parseArgs } from 'node:util'
import { PART_NAMES, type PartName } from './part.ts'
import type { Workload } from './workload.ts'
import { WORKLOADS } from './workloads.ts'

const ENOUGH_ROUNDS = 5
const MS_PER_SECOND = 1000

export const USAGE = `npm run bench -- [options]

Measures hardened, core and bare side by side and prints a table.

  --rounds N        rounds per workload, the median counts (default ${ENOUGH_ROUNDS})
  --seconds N       length of a measuring window (default 2)
  --only A,B        these workloads only: ${WORKLOADS.map(({ name }) => name).join(', ')};
                    "echo" stands for all that start with "echo-"; "ports" for live ports, which need Docker;
                    "assistant" for the network debug assistant, which needs Chromium
  --embedded        processes of this machine in place of containers
  --image TAG       this image as it is, in place of one that is built from the checkout
  --json FILE       writes every round as JSON
  --write           puts the table into docs/benchmarks.md; the default with all workloads and at least ${ENOUGH_ROUNDS} rounds,
                    --no-write prevents it`

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

/** @throws Error saying which argument is wrong; undefined: help is asked for. */
export function readOptions(args: string[]): BenchOptions | undefined {
  const { values } = parseArgs({
    args,
    allowNegative: true,
    options: {
      rounds: { type: 'string', default: String(ENOUGH_ROUNDS) },
      seconds: { type: 'string', default: '2' },
      only: { type: 'string' },
      embedded: { type: 'boolean', default: false },
      image: { type: 'string' },
      json: { type: 'string' },
      write: { type: 'boolean' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return undefined
  const rounds = Number(values.rounds)
  if (!Number.isInteger(rounds) || rounds < 1) throw new Error(`--rounds ${values.rounds}: allowed is a whole number from 1`)
  const seconds = Number(values.seconds)
  if (!(seconds > 0 && seconds <= 60)) throw new Error(`--seconds ${values.seconds}: allowed is a number above 0, to 60`)
  if (values.embedded && values.image !== undefined) throw new Error('--embedded and --image exclude each other')
  return {
    ...choose(values.only),
    rounds,
    windowMs: seconds * MS_PER_SECOND,
    embedded: values.embedded,
    image: values.image,
    json: values.json,
    write: values.write ?? (values.only === undefined && rounds >= ENOUGH_ROUNDS),
  }
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
