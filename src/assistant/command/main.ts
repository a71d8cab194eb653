import { AssistantError } from '../engine/errors.ts'
import { readArguments } from './arguments.ts'
import { formatOf } from './export.ts'
import { run } from './run.ts'
import { say, talk } from './talk.ts'
import { describe } from './texts.ts'
import { UsageError } from '../../cli/options.ts'

const FAILED = 1
const UNUSABLE = 2

/** `npm run assistant`, and `assistant` inside the image; gives the exit code. */
export async function main(args: string[]): Promise<number> {
  try {
    const wanted = readArguments(args)
    if (wanted === undefined) return 0
    if (wanted.command === 'run') return await run(wanted)
    if (wanted.exportTo !== undefined) formatOf(wanted.exportTo)
    return await talk(wanted)
  } catch (error) {
    if (error instanceof UsageError) {
      say(error.message)
      say('--help shows how it is used')
      return UNUSABLE
    }
    if (!(error instanceof AssistantError)) throw error
    say(describe(error.notice))
    return FAILED
  }
}
