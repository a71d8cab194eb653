import type { EventEmitter } from 'node:events'
import type { Server } from 'node:http'
import type { Distribution } from '../../settings.ts'
import type { ExpressApp } from '../login/user-endpoints.ts'

/** A node's configuration as in the flow file. */
export type NodeConfig = {
  id: string
  type: string
  z?: string
  name?: string
  label?: string
  d?: boolean
  disabled?: boolean
  port?: string | number
} & Record<string, unknown>

/** A running node; what it has beyond these depends on its type. */
export type RunningNode = { id: string; type: string; z?: string; name?: string } & Record<string, unknown>

/** The part of Node-RED's runtime API that the plugins use. https://nodered.org/docs/api/ */
export type NodeRed = {
  server: Server
  httpNode: ExpressApp
  httpAdmin: ExpressApp & Record<'get' | 'delete', (path: string, ...handlers: unknown[]) => void>
  auth: { needsPermission: (permission: string) => unknown }
  events: EventEmitter
  comms: { publish: (topic: string, data: unknown, retain?: boolean) => void }
  log: Record<'info' | 'warn' | 'error' | 'debug', (message: string) => void>
  settings: { distribution?: Distribution; httpAdminRoot: string }
  nodes: {
    eachNode: (visit: (node: NodeConfig) => void) => void
    getNode: (id: string) => RunningNode | null
  }
}
