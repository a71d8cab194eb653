import { writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { createTwoFilesPatch } from 'diff'
import { formatFlow, type FlowNode } from '../flow-set.ts'
import type { FileState } from '../merge.ts'
import type { ProvisionedFile } from '../provisioned.ts'
import type { BrokenSource } from '../sources.ts'
import { templateTexts } from '../texts.ts'
import { openAdmin, type Admin } from '../../cli/admin.ts'
import { readCommandLine, UsageError, valued, type CommandSpec } from '../../cli/options.ts'
import { say } from '../../cli/terminal.ts'

const COMMANDS = {
  status: { description: 'how each provisioned flow file stands to what is deployed', takes: ['url', 'user'] },
  diff: { description: 'what was changed in the editor', operands: 'NAME', takes: ['url', 'user'] },
  reset: { description: "deploy the file's flow again, in place of what was changed or deleted", operands: 'NAME', takes: ['url', 'user'] },
  export: { description: 'write the deployed flow back to flows/NAME.json', operands: 'NAME', takes: ['url', 'user'] },
} satisfies Record<string, CommandSpec>

const OPTIONS = [
  valued('--url <URL>', 'where the editor is (default: http://127.0.0.1:1880)'),
  valued('--user <USER>', 'whose login it is (default: NODE_RED_ADMIN_USER, else admin)'),
]

const AFTER = `The password is NODE_RED_ADMIN_PASSWORD from the environment or .env; without one it is asked for.`

const STATE_TEXTS: Record<FileState, string> = {
  new: 'not deployed yet: comes at the next start',
  current: 'as in the file',
  outdated: 'the file is newer: comes at the next start',
  edited: 'edited in the editor',
  deleted: 'deleted in the editor',
}

const flowsFolder = join(dirname(dirname(dirname(import.meta.dirname))), 'flows')

type Provisioning = { files: ProvisionedFile[]; broken: BrokenSource[] }

async function status(admin: Admin): Promise<void> {
  const { files, broken } = await readProvisioning(admin)
  const width = Math.max(...[...files, ...broken].map(({ name }) => name.length))
  for (const { name, state } of files) console.log(`${name.padEnd(width)}  ${STATE_TEXTS[state]}`)
  for (const { name, reason } of broken) console.log(`${name.padEnd(width)}  cannot be used: ${reason}`)
  if (broken.length > 0) process.exitCode = 1
}

async function diff(admin: Admin, name: string): Promise<void> {
  const { source, deployed } = await find(admin, name)
  const [before, after] = [formatFlow(source), formatFlow(deployed)]
  if (before === after) return say(`${name}: as in the file`)
  process.stdout.write(createTwoFilesPatch(`${name}.json`, `${name} (deployed)`, before, after))
}

async function reset(admin: Admin, name: string): Promise<void> {
  const { source, deployed } = await find(admin, name)
  const gone = new Set(deployed.map(({ id }) => id))
  const { flows, rev } = await admin.get<{ flows: FlowNode[]; rev: string }>('/flows', { 'node-red-api-version': 'v2' })
  const index = flows.findIndex(({ id }) => gone.has(id))
  const others = flows.filter(({ id }) => !gone.has(id))
  others.splice(index === -1 ? others.length : index, 0, ...source)
  // With the revision, so that a deploy by somebody else in between is not lost: Node-RED answers 409 then.
  await admin.post('/flows', { flows: others, rev }, { 'node-red-api-version': 'v2', 'node-red-deployment-type': 'flows' })
  say(`${name}: deployed again as in the file`)
}

async function exportFlow(admin: Admin, name: string): Promise<void> {
  const { deployed, template } = await find(admin, name)
  if (deployed.length === 0)
    throw new Error(`${name} is not deployed, so there is nothing to export; npm run flows -- reset ${name} brings it back`)
  const path = join(flowsFolder, `${name}.json`)
  writeFileSync(path, formatFlow(templateTexts(deployed, template)))
  say(`${name}: written to flows/${name}.json`)
}

async function readProvisioning(admin: Admin): Promise<Provisioning> {
  return admin.get<Provisioning>('/provisioning')
}

async function find(admin: Admin, name: string): Promise<ProvisionedFile> {
  const { files } = await readProvisioning(admin)
  const file = files.find((candidate) => candidate.name === name)
  if (!file) throw new Error(`no provisioned flow "${name}"; there are: ${files.map((candidate) => candidate.name).join(', ')}`)
  return file
}

/** `npm run flows`. @throws Error that says what is wrong, for people */
export async function main(args: readonly string[]): Promise<void> {
  const line = readCommandLine<keyof typeof COMMANDS, { url?: string; user?: string }>(
    { name: 'npm run flows --', commands: COMMANDS, options: OPTIONS, after: AFTER },
    args,
  )
  if (line === undefined) return
  const { command, operands, values } = line
  if (command === 'status') return await status(await openAdmin(values))
  const [name] = operands
  if (name === undefined) throw new UsageError(`${command} needs the name of a flow, such as: npm run flows -- ${command} tcp-in-server`)
  await { diff, reset, export: exportFlow }[command](await openAdmin(values), name)
}
