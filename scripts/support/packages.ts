// Whether node_modules has every package of package-lock.json that this machine is to have; names those that are missing.
// npm installs a package from `optional` that does not suit its Node, or whose download fails, without a word.
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

type Locked = {
  version?: string
  link?: boolean
  optional?: boolean
  os?: string | string[]
  cpu?: string | string[]
  libc?: string | string[]
}

const home = dirname(dirname(import.meta.dirname))

function suits(allowed: string | string[] | undefined, actual: string): boolean {
  const list = [allowed ?? []].flat()
  if (list.some((entry) => entry === `!${actual}`)) return false
  const named = list.filter((entry) => !entry.startsWith('!'))
  return named.length === 0 || named.includes(actual)
}

function libc(): string {
  const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } }
  return header.glibcVersionRuntime === undefined ? 'musl' : 'glibc'
}

function isInstalled(path: string, { version }: Locked): boolean {
  try {
    return (JSON.parse(readFileSync(join(home, path, 'package.json'), 'utf8')) as Locked).version === version
  } catch {
    return false
  }
}

const { packages } = JSON.parse(readFileSync(join(home, 'package-lock.json'), 'utf8')) as { packages: Record<string, Locked> }
const machine = { os: process.platform, cpu: process.arch, libc: libc() }
const isForThisMachine = ({ os, cpu, libc }: Locked) => suits(os, machine.os) && suits(cpu, machine.cpu) && suits(libc, machine.libc)
// Other optional packages may fail to build, and nothing of ours is missing then.
const isNeeded = (locked: Locked) => !locked.optional || (locked.os !== undefined && locked.cpu !== undefined)

const missing = Object.entries(packages)
  .filter(([path, locked]) => path !== '' && !locked.link && isNeeded(locked) && isForThisMachine(locked) && !isInstalled(path, locked))
  .map(([path, { version }]) => `${path.replace(/^.*node_modules\//, '')}@${version}`)
if (missing.length > 0) {
  console.error(`not in node_modules: ${missing.join(', ')}`)
  process.exitCode = 1
}
