import type { IncomingMessage, ServerResponse } from 'node:http'

type Done = (error?: Error & { status?: number }) => void
type Handler = { handle: unknown }
type Route = { path: unknown; methods: Record<string, boolean>; stack: Handler[]; dispatch: (...args: unknown[]) => void }
type Layer = { name: string; regexp: RegExp; route?: Route }
type Router = { stack: Layer[]; handle: (request: IncomingMessage, response: ServerResponse, done: Done) => void }
/** The part of an Express 4 application used here. */
export type ExpressApp = { _router?: Router }

// What Express puts in front of every application's own layers.
const EXPRESS_LAYERS = new Set(['query', 'expressInit'])
// Express tells what handles errors by its parameters: error, request, response, next.
const ERROR_PARAMETERS = 4
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

/**
 * Answers by the endpoints of flows alone: whatever the path turns out to mean, nothing else is reached. `failed` is told what the nodes
 * would have written to the log, a line for each request.
 */
export function serveUserEndpoint(
  app: ExpressApp,
  { request, response, failed }: { request: IncomingMessage; response: ServerResponse; failed: (error: Error) => void },
  done: Done,
): void {
  // As http in nodes do: an error here is one of the request.
  const answerError = (error: Error, _request: unknown, _response: unknown, _next: unknown) => {
    failed(error)
    if (response.headersSent) response.destroy()
    else response.writeHead(500, { 'content-type': 'text/plain' }).end('Internal Server Error')
  }
  const stack = layersOf(app)
    .filter((layer) => EXPRESS_LAYERS.has(layer.name) || isMarked(layer))
    .map((layer) => (layer.route ? withErrors(layer, layer.route, answerError) : layer))
  const router = Object.create(app._router!, { stack: { value: stack } }) as Router
  router.handle(request, response, done)
}

/** The same layer, with another handler of errors in place of the node's. */
function withErrors(layer: Layer, route: Route, answerError: unknown): Layer {
  const handlers = route.stack.map((handler) => (isErrorHandler(handler) ? withProperties(handler, { handle: answerError }) : handler))
  const own = withProperties(route, { stack: handlers })
  return withProperties(layer, { route: own, handle: route.dispatch.bind(own) })
}

function withProperties<T extends object>(original: T, values: Record<string, unknown>): T {
  return Object.assign(Object.create(original) as T, values)
}

function isErrorHandler({ handle }: Handler): boolean {
  return typeof handle === 'function' && handle.length === ERROR_PARAMETERS
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
  // OPTIONS asks whether another method is allowed; HEAD is answered by GET.
  return methods._all === true || methods[name] === true || name === 'options' || (name === 'head' && methods.get === true)
}
