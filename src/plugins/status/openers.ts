// Which node opens a listener: the one whose constructor or input handler is at work. Node-RED tells nobody, so what it makes nodes with is
// wrapped. Messages of our own nodes and of Node-RED's take no detour: only handlers of functions and of other modules are followed.
import { AsyncLocalStorage } from 'node:async_hooks'
import { createRequire } from 'node:module'
import type { About } from '../../tcp/session.ts'

type Constructor = new (config: Record<string, unknown>) => object
type Registry = { get: (type: string) => unknown; getNodeInfo: (type: string) => { module?: string } | null }
type WithInput = { _inputCallback?: ((...args: unknown[]) => unknown) | null }

// Nodes that run code of others, of all that are Node-RED's own.
const OF_INTEREST = new Set(['function'])
const OWN_MODULES = new Set(['node-red', 'node-red-tcp', 'node-red-tcp-nodes'])

const opening = new AsyncLocalStorage<About>()

/** The node at work now. */
export function currentOpener(): About | undefined {
  return opening.getStore()
}

/** From now on, nodes are known while they open listeners. */
export function followOpeners(): void {
  const registry = createRequire(import.meta.url)('@node-red/registry') as Registry
  const get = registry.get.bind(registry)
  const wrapped = new WeakMap<Constructor, Constructor>()
  registry.get = (type) => {
    const found = get(type)
    if (typeof found !== 'function') return found
    const known =
      wrapped.get(found as Constructor) ?? wrap(found as Constructor, { type, module: registry.getNodeInfo(type)?.module ?? '' })
    wrapped.set(found as Constructor, known)
    return known
  }
}

function wrap(original: Constructor, { type, module }: { type: string; module: string }): Constructor {
  const isFollowed = OF_INTEREST.has(type) || !OWN_MODULES.has(module)
  return new Proxy(original, {
    construct(target, args: [Record<string, unknown>]) {
      const about = aboutOf(args[0])
      return opening.run(about, () => {
        const node = Reflect.construct<[Record<string, unknown>], object>(target, args)
        if (isFollowed) followInput(node, about)
        return node
      })
    },
  })
}

function followInput(node: WithInput, about: About): void {
  const handle = node._inputCallback
  if (typeof handle !== 'function') return
  node._inputCallback = function (this: unknown, ...args) {
    return opening.run(about, () => handle.apply(this, args))
  }
}

function aboutOf({ id, type, name, z }: Record<string, unknown>): About {
  return { node: text(id), type: text(type), name: text(name), flow: text(z) }
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
