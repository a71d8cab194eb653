import type { EventEmitter } from 'node:events'
import type { TlsMaterial } from '../../tcp/tls.ts'
import type { TcpDefaults } from './tcp-settings.ts'

export type SessionRef = { type: string; id: string }

export type Message = Record<string, unknown> & { payload?: unknown; _session?: unknown; reset?: unknown }

/** Where a node listens: the address of its own, and what leads to it from outside. */
export type ListeningStatus = {
  address: string
  port: number
  reach: 'direct' | 'unknown' | 'published' | 'notPublished' | 'insideOnly'
  /** Addresses at which the port is published, for people; `publications`: the same for programs. */
  ways?: string[]
  publications?: { address: string; hostPort: number }[]
}

/** Colour, shape, text, event, address and session are Node-RED's; what else there is, is ours, and the editor puts it into words. */
export type NodeStatus = {
  fill?: 'red' | 'green' | 'yellow' | 'blue' | 'grey'
  shape?: 'ring' | 'dot'
  text?: string
  event?: string
  ip?: string
  port?: number
  _session?: SessionRef
  /** How many requests wait for their turn. */
  waiting?: number
  /** The session was there before the deploy that made the node. */
  adopted?: boolean
  connections?: number
  listening?: ListeningStatus
  /** What is wrong even though it listens. */
  warning?: string
  /** Why it does not run. `port`: the one that it could not listen at; `errno`: the system's name of why. `badPort`: what was set as its port and is none. */
  failed?: { reason: string; port?: number; errno?: string; badPort?: string }
}

export type Send = (message: Message) => void
export type Done = (error?: Error) => void

/** A tab or an instance of a subflow, while it runs. Node-RED's own, and not part of its API. */
export type RunningFlow = {
  getNode: (id: string) => RedNode | null | undefined
  getActiveNodes: () => Record<string, RedNode>
  /** What a node's own `error` does. */
  handleError: (node: RedNode, error: string | Error, message: Message) => boolean
}

/** A running node, as far as the tcp nodes use it. https://nodered.org/docs/creating-nodes/node-js */
export type RedNode = {
  id: string
  type: string
  /** The tab, or the instance of a subflow. */
  z?: string
  /** Tab, instances of subflows and node, by their ids, separated by slashes. */
  _path?: string
  name?: string
  /** The flow that it runs in. Not in Node-RED's documentation. */
  _flow?: RunningFlow
  /** Why it has not started, for status and diagnosis. */
  startError?: string
  /** The port of a node that listens, for status and diagnosis. */
  port?: number
  send: Send
  status: (status: NodeStatus) => void
  log: (message: string) => void
  warn: (message: string) => void
  error: (error: string | Error, message?: Message) => void
  /** Makes a record of an event; without one, tells whether metrics are on. */
  metric?: (event?: string, message?: Message, value?: unknown) => unknown
  on: {
    (event: 'input', handler: (message: Message, send: Send, done: Done) => void): void
    (event: 'close', handler: (removed: boolean, done: () => void) => void): void
  }
}

/** Where a node is: the ids of its tab, of the instances of subflows that it is in, and its own. */
export function placeOf({ _path, z = '', id }: RedNode): string[] {
  return (_path ?? `${z}/${id}`).split('/')
}

/** Node-RED's tls-config node. */
export type TlsConfigNode = RedNode & { valid: boolean; addTLSOptions: (options: object) => TlsMaterial }

/** The part of Node-RED's runtime API that the tcp nodes use. Optional: what Node-RED's node test helper lacks. */
export type NodeRed = {
  nodes: {
    createNode: (node: RedNode, config: object) => void
    getNode: (id: string) => RedNode | null
    /** Calls back for every node that is configured, running or not. */
    eachNode?: (callback: (config: { id: string; z?: string }) => void) => void
    registerType: (type: string, constructor: (this: RedNode, config: never) => void) => void
  }
  settings: { nodeCloseTimeout?: number; socketReconnectTime?: number; socketTimeout?: number; tcpMsgQueueSize?: number; tcp?: TcpDefaults }
  events?: EventEmitter
  log?: { metric: () => boolean }
  hooks?: {
    add: (name: string, handler: (event: never) => void | false) => void
    remove: (name: string) => void
  }
  util: { cloneMessage: <T>(message: T) => T }
}
