// Bundles what runs in Node-RED's editor. The dialogs and plugins' pages say which scripts they load: resources/<module>/<name>.js is made of
// resources/<name>.ts beside them.
import { globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { build } from 'vite'

const home = dirname(import.meta.dirname)
const SCRIPT = /<script[^>]* src="resources\/[\w-]+\/([\w-]+)\.js"/g

/** Writes the scripts of one module of Node-RED's, such as `src/nodes`, into `resources` of a folder. */
export async function buildEditorScripts(module: string, folder: string): Promise<void> {
  const pages = globSync('*.html', { cwd: join(home, module) }).map((file) => readFileSync(join(home, module, file), 'utf8'))
  const names = new Set(pages.flatMap((page) => [...page.matchAll(SCRIPT)].map(([, name = '']) => name)))
  await build({
    configFile: false,
    root: join(home, module, 'resources'),
    publicDir: false,
    cacheDir: join(home, 'node_modules', '.vite-editor'),
    logLevel: 'error',
    build: {
      outDir: join(folder, 'resources'),
      emptyOutDir: false,
      target: 'es2022',
      modulePreload: false,
      rollupOptions: {
        input: Object.fromEntries([...names].map((name) => [name, join(home, module, 'resources', `${name}.ts`)])),
        output: { entryFileNames: '[name].js', chunkFileNames: 'shared-[name].js' },
      },
    },
  })
}
