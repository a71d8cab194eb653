import type { IncomingMessage, ServerResponse } from 'node:http'

type Done = (error?: Error & { status?: number }) => void
type Layer = {
  name: string
  regexp: RegExp
  route?: { path: unknown; methods: Record<string, boolean>; stack: { handle: unknown }[] }
}
type Router = { stack: Layer[]; handle: (request: IncomingMessage, response: ServerResponse, done: Done) => void }
/** What is used here of an Express 4 application. */
export type ExpressApp = { _router?: Router }

// What Express puts in front of every application's own layers.
const EXPRESS_LAYERS = new Set(['query', 'expressInit'])
// A route of a module that begins so is for whatever comes, not a page of its own.
const CATCH_ALL = /^\/?[*:(]/

/** Node-RED puts this in front of every endpoint that a flow opens (`httpNodeMiddleware`), which makes them known. */
export function markUserEndpoint(_request: IncomingMessage, _response: ServerResponse, next: () => void): void {
  next()
}

/** Whether a flow has opened an endpoint, such as an http in node, to which this goes. */
export function isUserEndpoint(app: ExpressApp, method: string, path: string): boolean {
  return layersOf(app).some((layer) => isMarked(layer) && answers(layer, method, path))
}

/** Whether a module has a route of its own to which this goes. */
export function isModuleRoute(app: ExpressApp, method: string, path: string): boolean {
  return layersOf(app).some(
    (layer) =>
      layer.route !== undefined &&
      !isMarked(layer) &&
      typeof layer.route.path === 'string' &&
      !CATCH_ALL.test(layer.route.path) &&
      answers(layer, method, path),
  )
}

/** Answers by the endpoints of flows alone: whatever the path turns out to mean, nothing else is reached. */
export function serveUserEndpoint(app: ExpressApp, request: IncomingMessage, response: ServerResponse, done: Done): void {
  const stack = layersOf(app).filter((layer) => EXPRESS_LAYERS.has(layer.name) || isMarked(layer))
  const router = Object.create(app._router!, { stack: { value: stack } }) as Router
  router.handle(request, response, done)
}

function layersOf(app: ExpressApp): Layer[] {
  return app._router?.stack ?? []
}

function isMarked({ route }: Layer): boolean {
  return route?.stack.some(({ handle }) => handle === markUserEndpoint) ?? false
}

// The expression rather than layer.match(), which decodes what it finds and throws.
function answers({ route, regexp }: Layer, method: string, path: string): boolean {
  return accepts(route!.methods, method) && regexp.test(path)
}

function accepts(methods: Record<string, boolean>, method: string): boolean {
  const name = method.toLowerCase()
  // OPTIONS asks for the leave to send another method; HEAD is answered by GET.
  return methods._all === true || methods[name] === true || name === 'options' || (name === 'head' && methods.get === true)
}
