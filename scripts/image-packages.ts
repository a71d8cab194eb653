// Takes out of node_modules what an image does not need at run time. Runs while the image is built.
//   node image-packages.ts               for Node-RED: what package.json depends on; after `npm prune --omit=dev`
//   node image-packages.ts PACKAGE.JSON  for something else: what this package.json depends on
import { readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'

const home = dirname(import.meta.dirname)

type LockedPackage = { dependencies?: Record<string, string>; optionalDependencies?: Record<string, string>; dev?: boolean }
type Lockfile = { packages: Record<string, LockedPackage> }

// The dashboard lists what its browser side is built from; that is bundled in its dist/. Its Node.js side requires these.
const RUNTIME_DEPENDENCIES: Record<string, string[]> = {
  'node_modules/@flowfuse/node-red-dashboard': ['axios', 'express', 'lodash.merge', 'socket.io'],
}
// Node.js itself, which the base image has.
const BASE_IMAGE_HAS = /^node-linux-/
// Node-RED serves examples, help and texts out of these, whatever the files are called.
const KEPT_WHOLE = /^node_modules\/(@node-red|@flowfuse)\/[^/]+\/[^/]+$/
const DEAD_FILE =
  /\.(d\.[cm]?ts|[cm]?ts|map|md|markdown|flow|tsbuildinfo)$|^(\.\w+.*|makefile|gulpfile\.js|gruntfile\.js|tsconfig.*\.json|bower\.json)$/i
const LICENCE = /licen[cs]e|notice|copying/i
const DEAD_FOLDER = /^(test|tests|__tests__|docs?|examples?|\.github|coverage|benchmarks?|man)$/

// Code in spite of its name.
const LIVE_FOLDERS = new Set(['node_modules/yaml/dist/doc'])

const NPM_OF_BASE_IMAGE = '/usr/local/lib/node_modules/npm'

function neededPackages({ packages }: Lockfile, roots: readonly string[]): Set<string> {
  const needed = new Set(roots)
  const queue = [...roots]
  for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
    const { dependencies, optionalDependencies } = packages[path] ?? {}
    const names = RUNTIME_DEPENDENCIES[path] ?? Object.keys({ ...dependencies, ...optionalDependencies })
    for (const name of names) {
      const found = BASE_IMAGE_HAS.test(name) ? undefined : resolvePackage(packages, path, name)
      if (found === undefined || needed.has(found)) continue
      needed.add(found)
      queue.push(found)
    }
  }
  return needed
}

/** Where `name` is found from the package at `path`, as Node.js looks for it. */
function resolvePackage(packages: Lockfile['packages'], path: string, name: string): string | undefined {
  for (let from = path; ; from = from.slice(0, Math.max(0, from.lastIndexOf('/node_modules/')))) {
    const candidate = `${from === '' ? '' : `${from}/`}node_modules/${name}`
    if (candidate in packages) return candidate
    if (from === '') return undefined
  }
}

function removeUnneeded(packages: Lockfile['packages'], needed: ReadonlySet<string>): void {
  const isKept = (path: string) => [...needed].some((other) => other === path || other.startsWith(`${path}/`))
  for (const path of Object.keys(packages)) if (path !== '' && !isKept(path)) rmSync(join(home, path), { recursive: true, force: true })
}

function removeDeadFiles(folder: string, insidePackage: boolean): void {
  for (const entry of readdirSync(join(home, folder), { withFileTypes: true })) {
    const path = `${folder}/${entry.name}`
    const isFolder = entry.isDirectory()
    const leavesPackage = isFolder && (entry.name === 'node_modules' || entry.name.startsWith('@'))
    if (KEPT_WHOLE.test(path) && !leavesPackage) continue
    const dead = isFolder
      ? insidePackage && DEAD_FOLDER.test(entry.name) && !LIVE_FOLDERS.has(path)
      : DEAD_FILE.test(entry.name) && !LICENCE.test(entry.name)
    if (dead) rmSync(join(home, path), { recursive: true })
    else if (isFolder) removeDeadFiles(path, !leavesPackage)
  }
}

/** Node-RED's palette manager runs npm; the base image has one already. */
function useNpmOfBaseImage(): void {
  const own = join(home, 'node_modules', 'npm')
  readFileSync(join(NPM_OF_BASE_IMAGE, 'package.json'))
  rmSync(own, { recursive: true, force: true })
  symlinkSync(NPM_OF_BASE_IMAGE, own)
}

function rootsOf(file: string): string[] {
  const { dependencies } = JSON.parse(readFileSync(file, 'utf8')) as { dependencies: Record<string, string> }
  return Object.keys(dependencies).map((name) => `node_modules/${name}`)
}

const lockfile = JSON.parse(readFileSync(join(home, 'package-lock.json'), 'utf8')) as Lockfile
const [manifest] = process.argv.slice(2)
// The path of package.json itself is the empty one.
const roots = manifest === undefined ? [''] : rootsOf(manifest)
removeUnneeded(lockfile.packages, neededPackages(lockfile, roots))
removeDeadFiles('node_modules', false)
if (manifest === undefined) useNpmOfBaseImage()
