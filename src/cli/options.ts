// What commands of several words share: one list of options, which of them each command takes, and mistakes in words that help.
import { Command, CommanderError, Option } from 'commander'

const HELP_WIDTH = 100
// An option that more commands take is named without them.
const MAX_TAKERS_NAMED = 3

/** What was typed is not right; the message says what would be. */
export class UsageError extends Error {}

/** What a command is for. `operands`: as the help names them; `takes`: its options, by their long names without dashes. */
export type CommandSpec = { description: string; operands?: string; takes: readonly string[] }

export type ProgramSpec<Name extends string> = {
  /** As it is typed, such as `npm run ports --`. */
  name: string
  commands: Record<Name, CommandSpec>
  options: readonly Option[]
  /** Stands below everything in the help. */
  after: string
}

export type CommandLine<Name extends string, Values> = { command: Name; operands: string[]; values: Values }

/**
 * An option with a value.
 * @param read makes the value of the text, and throws UsageError; `name` is the option as it is typed
 */
export function valued<T = string>(
  flags: string,
  description: string,
  read: (text: string, name: string) => T = (text) => text as T,
): Option {
  const made = new Option(flags, description)
  return made.argParser((text) => read(text, made.long ?? flags))
}

/** An option that may be given several times; its values are a list. */
export function repeated<T = string>(
  flags: string,
  description: string,
  read: (text: string, name: string) => T = (text) => text as T,
): Option {
  const made = new Option(flags, description)
  return made.argParser<T[]>((text, before: T[] | undefined) => [...(before ?? []), read(text, made.long ?? flags)])
}

/** Options that stand under a heading of their own in the help. */
export function underHeading(heading: string, options: readonly Option[]): Option[] {
  return options.map((option) => option.helpGroup(heading))
}

/** @throws UsageError; undefined: help was asked for and is written */
export function readCommandLine<Name extends string, Values extends object>(
  { name, commands, options, after }: ProgramSpec<Name>,
  args: readonly string[],
): CommandLine<Name, Values> | undefined {
  const names = Object.keys(commands) as Name[]
  let line: CommandLine<Name, Values> | undefined
  const program = new Command(name)
    .usage('<command> [options]')
    .helpCommand(false)
    .helpOption('-h, --help', 'this, and of one command more')
  const takers = (option: Option) => names.filter((command) => commands[command].takes.includes(longName(option)))
  const whose = (option: Option) => {
    const some = takers(option)
    return some.length === 0 || some.length > MAX_TAKERS_NAMED ? '' : `${some.join(', ')}: `
  }
  program.configureHelp({
    optionDescription: (option) => `${whose(option)}${describe(option)}`,
    subcommandTerm: (command) => `${command.name()} ${commands[command.name() as Name].operands ?? ''}`.trimEnd(),
    optionTerm: ({ flags }) => flags.replace(/<(.*)>/, '$1'),
  })
  program.addHelpText('after', `\n${after}`)
  // Options are those of the program, so that they may stand anywhere, in front of the command too.
  for (const option of options) program.addOption(option)
  for (const command of names) {
    const { description, operands, takes } = commands[command]
    const isTaken = (option: Option) => takes.includes(longName(option))
    program
      .command(command)
      .description(description)
      .usage(`[options]${operands === undefined ? '' : ` ${operands}`}`)
      .argument('[operands...]')
      .configureHelp({
        ...program.configureHelp(),
        optionDescription: describe,
        visibleArguments: () => [],
        visibleOptions: () => options.filter(isTaken),
      })
      .action((given: string[]) => {
        const strange = options.find((option) => program.getOptionValueSource(option.attributeName()) === 'cli' && !isTaken(option))
        if (strange !== undefined)
          throw new UsageError(`${command} has no option ${strange.long}; it has ${takes.map((one) => `--${one}`).join(', ')}`)
        line = { command, operands: given, values: program.opts<Values>() }
      })
  }
  return parse(program, args.length === 0 ? ['--help'] : args) ? line : undefined
}

/** Parses without ending the process. @throws UsageError; false: help was asked for and is written */
export function parse(program: Command, args: readonly string[]): boolean {
  for (const command of [program, ...program.commands]) {
    command.exitOverride().configureOutput({ writeErr: () => {} })
    command.configureHelp({ helpWidth: HELP_WIDTH, ...command.configureHelp() })
  }
  try {
    program.parse(args, { from: 'user' })
    return true
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    if (error.exitCode === 0) return false
    if (error.code === 'commander.unknownCommand') {
      const names = program.commands.map((command) => command.name())
      throw new UsageError(`unknown command "${program.args[0]}"; there are: ${names.join(', ')}`, { cause: error })
    }
    const message = error.message.replace(/^error: /, '').replaceAll('\n', ' ')
    throw new UsageError(`${message.charAt(0).toUpperCase()}${message.slice(1)}`, { cause: error })
  }
}

function describe({ description, defaultValue }: Option): string {
  return defaultValue === undefined ? description : `${description} (default: ${defaultValue as string | number})`
}

function longName({ long }: Option): string {
  return (long ?? '').replace(/^--/, '')
}

/** A whole number from `from` to `to`. @throws UsageError */
export function readWhole(text: string, name: string, [from, to]: readonly [number, number]): number {
  const number = /^\d{1,10}$/.test(text) ? Number(text) : NaN
  if (!(number >= from && number <= to)) throw new UsageError(`${name} "${text}": allowed is a whole number from ${from} to ${to}`)
  return number
}

/** One of several words. @throws UsageError */
export function readChoice<T extends string>(text: string, name: string, allowed: readonly T[]): T {
  const found = allowed.find((value) => value === text)
  if (found === undefined) throw new UsageError(`${name} "${text}": allowed are ${allowed.join(', ')}`)
  return found
}
