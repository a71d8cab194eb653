import { succeeds } from '../../src/cli/command.ts'

/** A run of vitest. `isolated`: in a network of its own that nothing changes. `runtime`: what suites with a browser are played on; all others on both. */
export type Part = { args: string[]; isolated?: true; runtime?: 'embedded' | 'container' }

const LOCAL = ['--project', 'local']
const CHECKS = ['--project', 'checks']

/** Whether what is asked for can do without images. */
export function isLocal(args: string[]): boolean {
  return args.slice(0, 2).join() === LOCAL.join()
}

/**
 * How suites are run: those that are named in one go; all of them in parts, some of them side by side.
 *
 * Chromium breaks off what it is about to load when an interface of the machine comes or goes, as Docker's do with every container. In a
 * network namespace of their own, the suites with a browser need not wait for those with containers; what needs both comes last,
 * beside suites that start no container.
 */
export async function partsOf(args: string[], { docker }: { docker: boolean }): Promise<Part[][]> {
  if (args.length > 0 || !docker || !(await succeeds(...isolate('ip', 'link', 'set', 'lo', 'up')))) return [[{ args }]]
  return [
    [{ args: ['--project', 'containers'] }, { args: ['--project', 'browser'], isolated: true, runtime: 'embedded' }],
    [{ args: LOCAL }, { args: CHECKS }, { args: ['--project', 'browser'], runtime: 'container' }],
  ]
}

/** A command that runs another in a network namespace that has nothing but loopback. */
export function isolated(command: string, args: string[]): [string, string[]] {
  return isolate('sh', '-c', 'ip link set lo up && exec "$0" "$@"', command, ...args)
}

function isolate(...command: string[]): [string, string[]] {
  const user = process.getuid?.() === 0 ? [] : ['--map-root-user']
  return ['unshare', ['--net', ...user, ...command]]
}
