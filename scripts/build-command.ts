// Bundles a command for an image that holds nothing else of this repository. Whatever the command imports is in the file, packages apart:
// these stand in the package.json beside it, for image-packages.ts, so that neither sources nor packages are listed by hand.
//   node scripts/build-command.ts scripts/ports.ts FOLDER
import { writeFileSync, readFileSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { isBuiltin } from 'node:module'
import { build } from 'vite'
import { fail } from '../src/cli/terminal.ts'

const home = dirname(import.meta.dirname)

type Manifest = { version: string; dependencies: Record<string, string>; devDependencies: Record<string, string> }

/** Writes `FOLDER/<command>.js` and `FOLDER/package.json`, which names the packages that the command needs. */
export async function buildCommand(entry: string, folder: string): Promise<void> {
  const name = basename(entry, '.ts')
  const built = await build({
    configFile: false,
    root: home,
    cacheDir: join(home, 'node_modules', '.vite-command'),
    logLevel: 'error',
    build: {
      ssr: resolve(entry),
      outDir: resolve(folder),
      emptyOutDir: true,
      target: 'node24',
      minify: false,
      rollupOptions: { output: { entryFileNames: `${name}.js`, codeSplitting: false } },
    },
  })
  const { output } = built as { output: { type: string; imports?: string[]; dynamicImports?: string[] }[] }
  const imported = output.flatMap(({ imports = [], dynamicImports = [] }) => [...imports, ...dynamicImports])
  const packages = [...new Set(imported.filter((path) => !isBuiltin(path)).map(packageOf))].sort()
  const manifest = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8')) as Manifest
  const dependencies = Object.fromEntries(packages.map((path) => [path, versionOf(path, manifest)]))
  const { version } = manifest
  writeFileSync(
    join(folder, 'package.json'),
    `${JSON.stringify({ name: `node-red-tcp-${name}`, version, private: true, type: 'module', dependencies }, null, 2)}\n`,
  )
}

/** `@scope/name` of `@scope/name/file.js`. */
function packageOf(path: string): string {
  return path
    .split('/')
    .slice(0, path.startsWith('@') ? 2 : 1)
    .join('/')
}

function versionOf(name: string, { dependencies, devDependencies }: Manifest): string {
  const version = dependencies[name] ?? devDependencies[name]
  if (version === undefined) throw new Error(`${name} is imported, and package.json does not name it`)
  return version
}

if (import.meta.main) {
  const [entry = '', folder = ''] = process.argv.slice(2)
  await buildCommand(entry, folder).catch(fail)
}
