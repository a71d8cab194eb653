import type { FlowNode } from '../../src/testing/admin-client.ts'
import type { Certificate } from '../../src/testing/certificates.ts'

/** Nodes of one tab, with ids made of the tab's and a number. */
export class Tab {
  readonly id: string
  readonly nodes: FlowNode[]

  constructor(id: string) {
    this.id = id
    this.nodes = [{ id, type: 'tab', label: id }]
  }

  /** Adds a node that is wired to others. */
  add(type: string, properties: Record<string, unknown>, ...wires: FlowNode[]): FlowNode {
    // Node-RED takes a node without a place for a configuration node.
    const place = { x: 100, y: this.nodes.length * 40 }
    const node = {
      id: `${this.id}-${this.nodes.length}`,
      type,
      z: this.id,
      name: '',
      ...place,
      wires: [wires.map(({ id }) => id)],
      ...properties,
    }
    this.nodes.push(node)
    return node
  }

  tcpIn(properties: Record<string, unknown>, ...wires: FlowNode[]): FlowNode {
    const stock = {
      server: 'server',
      host: '',
      datamode: 'stream',
      datatype: 'buffer',
      newline: '',
      topic: '',
      trim: false,
      base64: false,
      tls: '',
    }
    return this.add('tcp in', { ...stock, ...properties }, ...wires)
  }

  tcpOut(properties: Record<string, unknown>): FlowNode {
    return this.add('tcp out', { host: '', port: '', beserver: 'reply', base64: false, end: false, tls: '', ...properties })
  }

  tcpRequest(properties: Record<string, unknown>, ...wires: FlowNode[]): FlowNode {
    const stock = { server: '', port: '', out: 'time', ret: 'buffer', splitc: '0', newline: '', trim: false, tls: '' }
    return this.add('tcp request', { ...stock, ...properties }, ...wires)
  }

  /** Shows whole messages, or one property, under a name. */
  debug(name: string, complete = 'true'): FlowNode {
    const target = complete === 'true' ? 'full' : 'msg'
    return this.add('debug', {
      name,
      active: true,
      tosidebar: true,
      console: false,
      tostatus: false,
      complete,
      targetType: target,
      statusVal: '',
      statusType: 'auto',
    })
  }

  /** A button that sends properties of a message, given as an inject node has them. */
  inject(name: string, props: Record<string, unknown>[], ...wires: FlowNode[]): FlowNode {
    return this.add('inject', { name, props, repeat: '', crontab: '', once: false, topic: '', payload: '', payloadType: 'str' }, ...wires)
  }

  text(name: string, text: string, ...wires: FlowNode[]): FlowNode {
    return this.inject(name, [{ p: 'payload', v: text, vt: 'str' }], ...wires)
  }

  /** Catch and complete nodes, seen as debug messages `caught` and `completed`. */
  watch(...nodes: FlowNode[]): void {
    this.add('catch', { scope: null, uncaught: false }, this.debug('caught', 'error.message'))
    if (nodes.length > 0) this.add('complete', { scope: nodes.map(({ id }) => id), uncaught: false }, this.debug('completed', 'payload'))
  }
}

/** The nodes of several tabs. */
export function flowOf(...tabs: Tab[]): FlowNode[] {
  return tabs.flatMap(({ nodes }) => nodes)
}

/** Node-RED's tls-config node `tls-1`, with what it needs in its credentials. */
export function tlsConfig(
  certificate: Certificate | undefined,
  { ca, verify = true, id = 'tls-1' }: { ca: string; verify?: boolean; id?: string },
): FlowNode {
  const credentials = { certdata: certificate?.cert ?? '', keydata: certificate?.key ?? '', cadata: ca, passphrase: '' }
  const names = { certname: certificate ? 'cert' : '', keyname: certificate ? 'key' : '', caname: 'ca' }
  const files = { cert: '', key: '', ca: '', servername: '', verifyservercert: verify, alpnprotocol: '' }
  return { id, type: 'tls-config', name: '', ...files, ...names, credentials }
}
