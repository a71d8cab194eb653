/** A node of a flow file. `id`, place and wires come with the layout. */
export type FlowNode = { type: string; name: string } & Record<string, unknown>

type Layout = { createId: () => string; wires: readonly (readonly [from: FlowNode, to: FlowNode])[] }

const LEFT = 140
const TOP = 60
const COLUMN = 230
const ROW = 60

/** A tab with nodes in rows, wired. */
export function layOut(label: string, rows: FlowNode[][], { createId, wires }: Layout): FlowNode[] {
  const tab = createId()
  const ids = new Map(rows.flat().map((node) => [node, createId()]))
  const nodes = rows.flatMap((row, y) =>
    row.map((node, x) => {
      const to = wires.flatMap(([from, target]) => (from === node ? [ids.get(target)!] : []))
      const place = { x: LEFT + COLUMN * x, y: TOP + ROW * y, wires: to.length > 0 ? [to] : node.type === 'inject' ? [[]] : [] }
      return { id: ids.get(node), z: tab, ...node, ...place }
    }),
  )
  return [{ id: tab, type: 'tab', label, name: label, disabled: false, info: '', env: [] }, ...nodes]
}
