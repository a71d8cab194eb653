import { execFile } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const home = dirname(import.meta.dirname)
// Packages enough to tell: one for everybody, and those of which each machine gets one.
const REQUIRED = 'diff'
const NATIVE = /^@rolldown\/binding-(linux|darwin)/
const NPM_TIMEOUT_MS = 60_000

type Manifest = { name?: string; version: string; dependencies?: Record<string, string>; optionalDependencies?: Record<string, string> }
type Lock = { packages: Record<string, Manifest> }
type Ended = { code: number; output: string }

/** A project with our scripts, our lock file cut down to a few packages, and nothing installed. */
function createProject() {
  const folder = mkdtempSync(join(tmpdir(), 'node-red-tcp-'))
  for (const path of ['scripts/ready.sh', 'scripts/support/packages.ts', '.npmrc']) cpSync(join(home, path), join(folder, path))
  const lock = JSON.parse(readFileSync(join(home, 'package-lock.json'), 'utf8')) as Lock
  const versions = (isWanted: (name: string) => boolean) =>
    Object.fromEntries(
      Object.entries(lock.packages)
        .map(([path, { version }]) => [path.replace('node_modules/', ''), version] as const)
        .filter(([name]) => isWanted(name)),
    )
  const dependencies = versions((name) => name === REQUIRED)
  const optionalDependencies = versions((name) => NATIVE.test(name) && !name.includes('/node_modules/'))
  const manifest = { name: 'cut-down', version: '1.0.0', dependencies, optionalDependencies }
  const names = [...Object.keys(dependencies), ...Object.keys(optionalDependencies)]
  const packages = Object.fromEntries(names.map((name) => [`node_modules/${name}`, lock.packages[`node_modules/${name}`]]))
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ ...manifest, type: 'module' }))
  writeFileSync(
    join(folder, 'package-lock.json'),
    JSON.stringify({ ...manifest, lockfileVersion: 3, requires: true, packages: { '': manifest, ...packages } }),
  )
  const run = (command: string, args: readonly string[], env: Record<string, string> = {}) =>
    new Promise<Ended>((resolve) => {
      const path = [dirname(process.execPath), process.env.PATH].join(delimiter)
      const options = { cwd: folder, env: { ...process.env, npm_node_execpath: process.execPath, PATH: path, ...env } }
      execFile(command, args, options, (error, stdout, stderr) => resolve({ code: Number(error?.code ?? 0), output: stdout + stderr }))
    })
  return {
    run,
    ready: (env?: Record<string, string>) => run('sh', ['scripts/ready.sh'], env),
    /** Whether the native package of this machine is there. */
    isWhole: () => names.some((name) => name.includes(`${process.platform}-${process.arch}`) && has(name)),
    has,
    path: (name: string) => join(folder, name),
  }
  function has(name: string): boolean {
    return existsSync(join(folder, 'node_modules', name, 'package.json'))
  }
}

/** A real Node.js of that version. */
async function nodeOf(version: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'node-red-tcp-'))
  const name = `node-${process.platform}-${process.arch}`
  await promisify(execFile)('npm', ['install', '--prefix', folder, '--no-audit', '--no-fund', '--ignore-scripts', `${name}@${version}`])
  return join(folder, 'node_modules', name, 'bin')
}

test(
  'npm on a Node.js that is too old installs nothing and says which is wanted',
  async () => {
    const old = await nodeOf('20.10.0')
    const project = createProject()
    const { code, output } = await project.ready({
      npm_node_execpath: join(old, 'node'),
      PATH: [old, process.env.PATH].join(delimiter),
    })
    expect(output).toContain('needs Node.js 20.19 or later, or 22.12 or later; npm runs on v20.10.0')
    expect(code).toBe(1)
    expect(existsSync(project.path('node_modules'))).toBe(false)
  },
  NPM_TIMEOUT_MS,
)

test(
  'what an older npm has left out is installed, once',
  async () => {
    const project = createProject()
    await project.run('npm', ['ci', '--omit=optional'])
    expect([project.has(REQUIRED), project.isWhole()]).toEqual([true, false])
    expect(await project.ready()).toEqual({ code: 0, output: expect.stringContaining('Installing the packages') })
    expect(project.isWhole()).toBe(true)
    expect(await project.ready()).toEqual({ code: 0, output: '' })
  },
  NPM_TIMEOUT_MS,
)

test(
  'an npm ci by hand is taken as it is',
  async () => {
    const project = createProject()
    await project.run('npm', ['ci'])
    writeFileSync(project.path('node_modules/by-hand'), '')
    expect(await project.ready()).toEqual({ code: 0, output: '' })
    expect(existsSync(project.path('node_modules/by-hand'))).toBe(true)
  },
  NPM_TIMEOUT_MS,
)

test(
  'a node_modules that came from another machine is looked at again',
  async () => {
    const project = createProject()
    await project.ready()
    const stamp = project.path('node_modules/.node-red-tcp-ready')
    writeFileSync(stamp, readFileSync(stamp, 'utf8').replace(/^1 \S+/, '1 Plan9'))
    rmSync(project.path('node_modules/@rolldown'), { recursive: true })
    expect((await project.ready()).output).toContain('Installing the packages')
    expect(project.isWhole()).toBe(true)
  },
  NPM_TIMEOUT_MS,
)

test(
  'packages that npm is told to leave out are named, and nothing counts as ready',
  async () => {
    const project = createProject()
    const { code, output } = await project.ready({ npm_config_omit: 'optional' })
    expect(output).toMatch(/not in node_modules: @rolldown\/binding-\S+@\d/)
    expect(code).toBe(1)
    expect((await project.ready()).code).toBe(0)
    expect(project.isWhole()).toBe(true)
  },
  NPM_TIMEOUT_MS,
)
