import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { hashFlow, type FlowNode } from '../provisioning/flow-set.ts'
import { provisionFlows, readDeployedFlow } from '../provisioning/provision.ts'
import { readProvisioned } from '../provisioning/provisioned.ts'

/** A data folder and a folder of flow files, on which provisioning runs as at each start. */
function createFolders() {
  const root = mkdtempSync(join(tmpdir(), 'node-red-tcp-'))
  const dataDir = mkdtempSync(join(root, 'data-'))
  const folder = mkdtempSync(join(root, 'flows-'))
  return {
    dataDir,
    folder,
    write: (name: string, nodes: unknown) =>
      writeFileSync(join(folder, `${name}.json`), typeof nodes === 'string' ? nodes : JSON.stringify(nodes)),
    remove: (name: string) => rmSync(join(folder, `${name}.json`)),
    start: () => provisionFlows({ dataDir, folders: [folder] }),
    deploy: (change: (nodes: FlowNode[]) => FlowNode[]) =>
      writeFileSync(join(dataDir, 'flows.json'), JSON.stringify(change(readDeployedFlow(dataDir)))),
    flow: () => readDeployedFlow(dataDir),
    states: () => Object.fromEntries(readProvisioned({ dataDir, folders: [folder] }).files.map(({ name, state }) => [name, state])),
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
  provisionFlows({ dataDir: first.dataDir, folders: [first.folder, second.folder] })
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
  const report = provisionFlows({ dataDir: first.dataDir, folders: [first.folder, second.folder] })
  expect(report).toMatchObject({ actions: [{ name: 'theirs', action: 'added' }], aside: ['ours'] })
})
