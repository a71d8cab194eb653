export type FlowNode = { id: string; type: string } & Record<string, unknown>

type NodeProperties = { type: string } & Record<string, unknown>

const TAB = 'bench-tab'
const GRID_PX = 200

/** A flow of nodes in a row, each wired to the next. */
export function chain(...nodes: NodeProperties[]): FlowNode[] {
  const idOf = (index: number) => `bench-${index}`
  const placed = nodes.map((node, index) => ({
    ...node,
    id: idOf(index),
    z: TAB,
    x: GRID_PX * (index + 1),
    y: GRID_PX,
    wires: index + 1 < nodes.length ? [[idOf(index + 1)]] : [],
  }))
  return [{ id: TAB, type: 'tab', label: 'bench' }, ...placed]
}

export function tcpIn(
  port: number,
  properties: { datamode: 'stream' | 'single'; datatype: 'buffer' | 'utf8'; trim?: boolean },
): NodeProperties {
  const newline = properties.datatype === 'utf8' ? '\\n' : ''
  return { type: 'tcp in', server: 'server', host: '', port: String(port), newline, topic: '', trim: false, ...properties }
}

export function tcpReply(): NodeProperties {
  return { type: 'tcp out', beserver: 'reply', host: '', port: '', base64: false, end: false }
}

export function tcpOutServer(port: number): NodeProperties {
  return { type: 'tcp out', beserver: 'server', host: '', port: String(port), base64: false, end: false }
}

export function setPayload(text: string): NodeProperties {
  return { type: 'change', rules: [{ t: 'set', p: 'payload', pt: 'msg', to: text, tot: 'str' }] }
}
