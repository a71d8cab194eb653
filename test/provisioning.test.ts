import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { hashFlow, type FlowNode } from '../src/provisioning/flow-set.ts'
import { findNodeTypes } from '../src/provisioning/node-types.ts'
import { provisionFlows, readDeployedFlow } from '../src/provisioning/provision.ts'
import { readProvisioned } from '../src/provisioning/provisioned.ts'
import { readEnvironment } from '../src/runtime/environment.ts'
import { provisioningOf } from '../src/runtime/provisioning.ts'
import type { Origin } from '../src/provisioning/sources.ts'
import { fillTexts, templateTexts } from '../src/provisioning/texts.ts'

// What the tests put into flows; other types are looked for in the data folder.
const KNOWN = new Set(['comment', 'debug', 'change', 'b', 'c', 'ui-base', 'tls-config'])

/** A data folder and a folder of flow files, on which provisioning runs as at each start. */
function createFolders() {
  const root = mkdtempSync(join(tmpdir(), 'node-red-tcp-'))
  const dataDir = mkdtempSync(join(root, 'data-'))
  const folder = mkdtempSync(join(root, 'flows-'))
  // Looked for at each start.
  const provisioning = () => {
    const types = findNodeTypes({ folders: [], modules: [], dataDir })
    return { dataDir, types: { has: (type: string) => KNOWN.has(type) || types.has(type) } }
  }
  const start = ({ folders = [{ path: folder }], values = {} }: Partial<Origin> = {}) =>
    provisionFlows({ ...provisioning(), folders, values })
  return {
    dataDir,
    folder,
    write: (name: string, nodes: unknown) =>
      writeFileSync(join(folder, `${name}.json`), typeof nodes === 'string' ? nodes : JSON.stringify(nodes)),
    remove: (name: string) => rmSync(join(folder, `${name}.json`)),
    start,
    deploy: (change: (nodes: FlowNode[]) => FlowNode[]) =>
      writeFileSync(join(dataDir, 'flows.json'), JSON.stringify(change(readDeployedFlow(dataDir)))),
    flow: () => readDeployedFlow(dataDir),
    states: () =>
      Object.fromEntries(
        readProvisioned({ ...provisioning(), folders: [{ path: folder }], values: {} }).files.map(({ name, state }) => [name, state]),
      ),
  }
}

function tab(name: string, version = 1): FlowNode[] {
  return [
    { id: `${name}-tab`, type: 'tab', label: name },
    { id: `${name}-node`, type: 'comment', z: `${name}-tab`, name: `version ${version}` },
  ]
}

const names = (nodes: FlowNode[]) => nodes.map(({ name, label }) => name ?? label)

test('new files are added, and a second start changes nothing', () => {
  const folders = createFolders()
  folders.write('one', tab('one'))
  folders.write('two', tab('two'))
  expect(folders.start().actions).toEqual([
    { name: 'one', action: 'added' },
    { name: 'two', action: 'added' },
  ])
  const written = readFileSync(join(folders.dataDir, 'flows.json'), 'utf8')
  expect(folders.start().actions.map(({ action }) => action)).toEqual(['unchanged', 'unchanged'])
  expect(readFileSync(join(folders.dataDir, 'flows.json'), 'utf8')).toBe(written)
})

test('what the user left alone is updated, in its place among the tabs', () => {
  const folders = createFolders()
  folders.write('one', tab('one'))
  folders.start()
  folders.deploy((nodes) => [...nodes, { id: 'mine', type: 'tab', label: 'mine' }])
  folders.write('one', [...tab('one', 2), { id: 'one-more', type: 'comment', z: 'one-tab', name: 'more' }])
  expect(folders.states()).toEqual({ one: 'outdated' })
  expect(folders.start().actions).toEqual([{ name: 'one', action: 'updated' }])
  expect(names(folders.flow())).toEqual(['one', 'version 2', 'more', 'mine'])
  expect(names(JSON.parse(readFileSync(join(folders.dataDir, 'flows.previous.json'), 'utf8')) as FlowNode[])).toEqual([
    'one',
    'version 1',
    'mine',
  ])
})

test.each<[string, (nodes: FlowNode[]) => FlowNode[]]>([
  ['changes a node', (nodes) => nodes.map((node) => (node.id === 'one-node' ? { ...node, name: 'mine' } : node))],
  ['adds a node', (nodes) => [...nodes, { id: 'added', type: 'debug', z: 'one-tab' }]],
  ['deletes a node', (nodes) => nodes.filter(({ id }) => id !== 'one-node')],
  ['disables the tab', (nodes) => nodes.map((node) => (node.type === 'tab' ? { ...node, disabled: true } : node))],
])('an edit is kept when a new version comes: the user %s', (_name, change) => {
  const folders = createFolders()
  folders.write('one', tab('one'))
  folders.start()
  folders.deploy(change)
  const edited = hashFlow(folders.flow())
  folders.write('one', tab('one', 2))
  for (let start = 0; start < 3; start += 1) expect(folders.start().actions).toEqual([{ name: 'one', action: 'kept' }])
  expect(hashFlow(folders.flow())).toBe(edited)
  folders.remove('one')
  expect(folders.start().actions).toEqual([{ name: 'one', action: 'left to the user' }])
  expect(hashFlow(folders.flow())).toBe(edited)
})

test('another order of nodes and properties is no edit', () => {
  const folders = createFolders()
  folders.write('one', tab('one'))
  folders.start()
  folders.deploy((nodes) => nodes.toReversed().map((node) => Object.fromEntries(Object.entries(node).toReversed()) as FlowNode))
  folders.write('one', tab('one', 2))
  expect(folders.start().actions).toEqual([{ name: 'one', action: 'updated' }])
})

test('an edit that is taken back counts as untouched again', () => {
  const folders = createFolders()
  folders.write('one', tab('one'))
  folders.start()
  folders.deploy((nodes) => nodes.slice(0, 1))
  folders.start()
  folders.deploy(() => tab('one'))
  folders.write('one', tab('one', 2))
  expect(folders.start().actions).toEqual([{ name: 'one', action: 'updated' }])
})

test('what the user deleted stays deleted, whatever comes', () => {
  const folders = createFolders()
  folders.write('one', tab('one'))
  folders.start()
  folders.deploy(() => [])
  for (const version of [1, 2, 3]) {
    folders.write('one', tab('one', version))
    expect(folders.start().actions).toEqual([{ name: 'one', action: 'stays deleted' }])
    expect(folders.flow()).toEqual([])
  }
  folders.remove('one')
  folders.start()
  folders.write('one', tab('one', 4))
  expect(folders.start().actions).toEqual([{ name: 'one', action: 'stays deleted' }])
})

test('a file that is gone takes its untouched tab with it', () => {
  const folders = createFolders()
  folders.write('one', tab('one'))
  folders.write('two', tab('two'))
  folders.start()
  folders.remove('one')
  expect(folders.start().actions).toContainEqual({ name: 'one', action: 'removed' })
  expect(names(folders.flow())).toEqual(['two', 'version 1'])
})

test.each([
  ['{"not": "a list"}', 'not a list of nodes'],
  ['[{"id": "x"}]', 'entry 0 has no "id" or no "type"'],
  ['[{"id": "two-tab", "type": "tab"}]', 'node id "two-tab" is in two.json too'],
  ['[{"id": "a", "type": "b"}, {"id": "a", "type": "c"}]', 'two nodes have the id "a"'],
  ['[{"id": ', 'JSON'],
])('a broken file is named and the others go in: %s', (text, reason) => {
  const folders = createFolders()
  folders.write('two', tab('two'))
  folders.write('zbroken', text)
  const report = folders.start()
  expect(report.actions).toEqual([{ name: 'two', action: 'added' }])
  expect(report.broken).toEqual([{ name: 'zbroken', path: join(folders.folder, 'zbroken.json'), reason: expect.stringContaining(reason) }])
})

test('a file that breaks later does not take its tab away', () => {
  const folders = createFolders()
  folders.write('one', tab('one'))
  folders.start()
  folders.write('one', '[')
  folders.start()
  expect(names(folders.flow())).toEqual(['one', 'version 1'])
  folders.write('one', tab('one', 2))
  expect(folders.start().actions).toEqual([{ name: 'one', action: 'updated' }])
})

test('an unreadable flow file of the user is reported and not touched', () => {
  const folders = createFolders()
  folders.write('one', tab('one'))
  writeFileSync(join(folders.dataDir, 'flows.json'), '[{"half')
  expect(folders.start()).toMatchObject({ actions: [], unreadableFlow: { path: join(folders.dataDir, 'flows.json') } })
  expect(readFileSync(join(folders.dataDir, 'flows.json'), 'utf8')).toBe('[{"half')
  expect(readdirSync(folders.dataDir)).toEqual(['flows.json'])
})

test('a later folder takes the place of an earlier one, and order.txt leads', () => {
  const first = createFolders()
  const second = createFolders()
  for (const name of ['alpha', 'beta', 'gamma']) first.write(name, tab(name))
  writeFileSync(join(first.folder, 'order.txt'), 'gamma\nbeta\n')
  second.write('beta', tab('beta', 7))
  first.start({ folders: [{ path: first.folder }, { path: second.folder }] })
  expect(names(first.flow())).toEqual(['gamma', 'version 1', 'beta', 'version 7', 'alpha', 'version 1'])
})

const dashboard = (name: string): FlowNode[] => [...tab(name), { id: `${name}-base`, type: 'ui-base', name, path: '/dashboard' }]

test('a file with a dashboard gives way to the one that the user has, and comes when that is gone', () => {
  const folders = createFolders()
  folders.write('one', tab('one'))
  folders.start()
  folders.deploy((nodes) => [...nodes, ...dashboard('mine')])
  folders.write('two', dashboard('two'))
  expect(folders.start()).toMatchObject({ actions: [{ name: 'one', action: 'unchanged' }], aside: ['two'] })
  expect(names(folders.flow())).toEqual(['one', 'version 1', 'mine', 'version 1', 'mine'])
  folders.deploy((nodes) => nodes.filter(({ id }) => !id.startsWith('mine')))
  expect(folders.start()).toMatchObject({ aside: [] })
  expect(folders.flow().some(({ id }) => id === 'two-base')).toBe(true)
})

test('a provisioned dashboard that nobody changed goes when the user brings one', () => {
  const folders = createFolders()
  folders.write('two', dashboard('two'))
  folders.start()
  folders.deploy((nodes) => [...nodes, ...dashboard('mine')])
  expect(folders.start()).toMatchObject({ actions: [{ name: 'two', action: 'removed' }], aside: ['two'] })
  expect(folders.flow().map(({ id }) => id)).toEqual(['mine-tab', 'mine-node', 'mine-base'])
})

test('of two files with a dashboard the one from the later folder counts', () => {
  const first = createFolders()
  const second = createFolders()
  first.write('ours', dashboard('ours'))
  second.write('theirs', dashboard('theirs'))
  const report = first.start({ folders: [{ path: first.folder }, { path: second.folder }] })
  expect(report).toMatchObject({ actions: [{ name: 'theirs', action: 'added' }], aside: ['ours'] })
})

const ported = (name: string): FlowNode[] => [
  { id: `${name}-tab`, type: 'tab', label: name, info: 'connect to ${PORT}, as `${OTHER}` says' },
  { id: `${name}-node`, type: 'debug', z: `${name}-tab`, name: 'listen on ${PORT}', port: '${PORT}' },
  { id: `${name}-second`, type: 'comment', z: `${name}-tab`, name: 'second' },
]

test('texts name the ports in use, and follow them when they move', () => {
  const folders = createFolders()
  folders.write('one', ported('one'))
  folders.start({ values: { PORT: '9501' } })
  expect(folders.flow()).toMatchObject([{ info: 'connect to 9501, as `${OTHER}` says' }, { name: 'listen on 9501', port: '${PORT}' }, {}])
  expect(folders.start({ values: { PORT: '9701' } }).actions).toEqual([{ name: 'one', action: 'updated' }])
  expect(folders.flow()).toMatchObject([{ info: 'connect to 9701, as `${OTHER}` says' }, { name: 'listen on 9701', port: '${PORT}' }, {}])
  expect(folders.start({ values: { PORT: '9701' } }).actions).toEqual([{ name: 'one', action: 'unchanged' }])
})

test('on a tab that was edited, texts that were not follow the ports, too', () => {
  const folders = createFolders()
  folders.write('one', ported('one'))
  folders.start({ values: { PORT: '9501' } })
  folders.deploy((nodes) => nodes.map((node) => (node.id === 'one-second' ? { ...node, name: 'mine, on 9501' } : node)))
  expect(folders.start({ values: { PORT: '9701' } }).actions).toEqual([{ name: 'one', action: 'kept' }])
  expect(folders.flow()).toMatchObject([{ info: expect.stringContaining('9701') }, { name: 'listen on 9701' }, { name: 'mine, on 9501' }])
  folders.deploy((nodes) => nodes.map((node) => (node.id === 'one-node' ? { ...node, name: 'scanner on 9701' } : node)))
  folders.start({ values: { PORT: '9801' } })
  expect(names(folders.flow())).toEqual(['one', 'scanner on 9701', 'mine, on 9501'])
  // Back as it came: it counts as untouched.
  const original = new Map([
    ['one-node', 'listen on 9801'],
    ['one-second', 'second'],
  ])
  folders.deploy((nodes) => nodes.map((node) => ({ ...node, ...(original.has(node.id) && { name: original.get(node.id) }) })))
  expect(folders.start({ values: { PORT: '9801' } }).actions).toEqual([{ name: 'one', action: 'unchanged' }])
})

test('what is exported has the names of the ports again, and what was edited as it was edited', () => {
  const template = ported('one')
  const deployed = fillTexts(template, { PORT: '9701' }).map((node) => (node.id === 'one-second' ? { ...node, name: 'mine 9701' } : node))
  expect(names(templateTexts(deployed, template))).toEqual(['one', 'listen on ${PORT}', 'mine 9701'])
})

test('a file with an id that a node of somebody else has is named and left out, whole', () => {
  const folders = createFolders()
  folders.write('mine', tab('mine'))
  folders.start()
  folders.remove('mine')
  folders.deploy((nodes) => [...nodes, { id: 'taken', type: 'debug', z: 'mine-tab', name: 'precious' }])
  folders.start()
  const before = folders.flow()
  folders.write('two', [...tab('two'), { id: 'taken', type: 'debug', z: 'two-tab' }])
  const report = folders.start()
  expect(report.actions).toEqual([])
  expect(report.broken).toMatchObject([
    { name: 'two', reason: 'node id "taken" is on the tab "mine" already; give it another id in the file, or delete that one' },
  ])
  expect(folders.flow()).toEqual(before)
  folders.deploy((nodes) => nodes.filter(({ id }) => id !== 'taken'))
  expect(folders.start().actions).toEqual([{ name: 'two', action: 'added' }])
})

test('a new version of a file does not take the node of another tab away', () => {
  const folders = createFolders()
  folders.write('one', tab('one'))
  folders.start()
  folders.deploy((nodes) => [...nodes, ...tab('mine'), { id: 'taken', type: 'debug', z: 'mine-tab', name: 'precious' }])
  const before = folders.flow()
  folders.write('one', [...tab('one', 2), { id: 'taken', type: 'debug', z: 'one-tab' }])
  expect(folders.start().broken).toMatchObject([{ name: 'one' }])
  expect(folders.flow()).toEqual(before)
})

test('a configuration node that is there already, and the same, is used', () => {
  const folders = createFolders()
  const shared = { id: 'shared', type: 'tls-config', name: 'of both' }
  folders.deploy(() => [shared, ...tab('mine')])
  folders.write('two', [...tab('two'), shared])
  expect(folders.start()).toMatchObject({ actions: [{ name: 'two', action: 'added' }], broken: [] })
  expect(folders.flow().filter(({ id }) => id === 'shared')).toHaveLength(1)
  expect(folders.start().actions).toEqual([{ name: 'two', action: 'unchanged' }])
})

test('a file that was renamed keeps its tab', () => {
  const folders = createFolders()
  folders.write('one', tab('one'))
  folders.start()
  folders.remove('one')
  folders.write('renamed', tab('one', 2))
  expect(folders.start().actions).toEqual([{ name: 'renamed', action: 'updated' }])
  expect(folders.start().actions).toEqual([{ name: 'renamed', action: 'unchanged' }])
  expect(names(folders.flow())).toEqual(['one', 'version 2'])
})

const exotic = (name: string): FlowNode[] => [...tab(name), { id: `${name}-exotic`, type: 'exotic', z: `${name}-tab` }]

/** Installs a module whose node is declared by a template, or by code alone. */
function install(dataDir: string, file: 'node.html' | 'node.js', content: string) {
  const folder = join(dataDir, 'node_modules', '@scope', 'contrib-exotic')
  mkdirSync(folder, { recursive: true })
  writeFileSync(
    join(folder, 'package.json'),
    JSON.stringify({ name: '@scope/contrib-exotic', 'node-red': { nodes: { exotic: 'node.js' } } }),
  )
  writeFileSync(join(folder, 'node.js'), '')
  writeFileSync(join(folder, file), content)
}

test.each([
  ['node.html', '<script type="text/html" data-template-name="exotic"></script>'],
  ['node.js', 'RED.nodes.registerSubflow({ meta: { type: "exotic" } })'],
] as const)('a file with an unknown node type is left out, and comes when a module has it in its %s', (file, content) => {
  const folders = createFolders()
  folders.write('one', tab('one'))
  folders.write('two', exotic('two'))
  expect(folders.start()).toMatchObject({
    actions: [{ name: 'one', action: 'added' }],
    broken: [{ name: 'two', reason: expect.stringContaining('needs the node type "exotic", which no installed module has') }],
  })
  install(folders.dataDir, file, content)
  expect(folders.start()).toMatchObject({ actions: [{ action: 'unchanged' }, { name: 'two', action: 'added' }], broken: [] })
  writeFileSync(
    join(folders.dataDir, '.config.nodes.json'),
    JSON.stringify({ '@scope/contrib-exotic': { nodes: { exotic: { enabled: false, types: ['exotic'] } } } }),
  )
  // Untouched, and no flow would run with it.
  expect(folders.start()).toMatchObject({
    actions: [{ action: 'unchanged' }, { name: 'two', action: 'removed' }],
    broken: [{ name: 'two' }],
  })
  expect(names(folders.flow())).toEqual(['one', 'version 1'])
  rmSync(join(folders.dataDir, '.config.nodes.json'))
  expect(folders.start().actions).toContainEqual({ name: 'two', action: 'added' })
})

test('a new version with an unknown node type leaves the former one, and an edited tab stays whatever it needs', () => {
  const folders = createFolders()
  folders.write('one', tab('one'))
  folders.start()
  folders.write('one', exotic('one'))
  expect(folders.start()).toMatchObject({ actions: [], broken: [{ name: 'one' }] })
  expect(names(folders.flow())).toEqual(['one', 'version 1'])
  folders.deploy((nodes) => [...nodes, { id: 'mine', type: 'exotic', z: 'one-tab', name: 'mine' }])
  folders.start()
  expect(names(folders.flow())).toEqual(['one', 'version 1', 'mine'])
})

test('an instance of a subflow is known where the subflow is', () => {
  const folders = createFolders()
  const instance = { id: 'instance', type: 'subflow:sub', z: 'two-tab' }
  folders.write('two', [...tab('two'), instance])
  expect(folders.start().broken).toMatchObject([{ reason: expect.stringContaining('"subflow:sub"') }])
  folders.write('two', [...tab('two'), instance, { id: 'sub', type: 'subflow', name: 'sub' }])
  expect(folders.start().actions).toEqual([{ name: 'two', action: 'added' }])
})

test('of a folder only the chosen names are provisioned; others go when untouched, and stay when edited', () => {
  const folders = createFolders()
  for (const name of ['one', 'two', 'three']) folders.write(name, tab(name))
  folders.start()
  folders.deploy((nodes) => nodes.map((node) => (node.id === 'two-node' ? { ...node, name: 'mine' } : node)))
  const only = (...names: string[]) => folders.start({ folders: [{ path: folders.folder, only: names }] })
  expect(only('one').actions).toEqual([
    { name: 'one', action: 'unchanged' },
    { name: 'three', action: 'removed' },
    { name: 'two', action: 'left to the user' },
  ])
  expect(names(folders.flow())).toEqual(['one', 'version 1', 'two', 'mine'])
  only()
  expect(names(folders.flow())).toEqual(['two', 'mine'])
  folders.start()
  expect(names(folders.flow())).toEqual(['two', 'mine', 'one', 'version 1', 'three', 'version 1'])
})

test('the files of the distribution all fit, with the node types that it brings', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'node-red-tcp-'))
  const { environment } = readEnvironment({ DATA_DIR: dataDir })
  const report = provisionFlows(provisioningOf(environment))
  expect(report).toMatchObject({ broken: [], aside: [] })
  expect(report.actions.map(({ name }) => name)).toEqual(environment.SCENARIOS)
})
