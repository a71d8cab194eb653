import { existsSync } from 'node:fs'
import { dirname, extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

// This file is src/runtime/installation.ts in a checkout and dist/src/runtime/installation.js when compiled.
const extension = extname(fileURLToPath(import.meta.url))
const codeFolder = dirname(import.meta.dirname)
const root = dirname(codeFolder)

/** The folder with package.json, flows/ and node_modules/. */
export const home = existsSync(join(root, 'package.json')) ? root : dirname(root)

/** Node-RED's settings file, above this code. */
export const settingsFile = join(root, `settings${extension}`)

/** The plugins, as a module that Node-RED loads. */
export const pluginsFolder = join(codeFolder, 'plugins')

/** The tcp nodes, as a module that Node-RED loads. */
export const nodesFolder = join(codeFolder, 'nodes')

/** The scenarios: the flow files of the distribution. */
export const scenarioFolder = join(home, 'flows')
