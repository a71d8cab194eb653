import type { IncomingMessage, ServerResponse } from 'node:http'

/** What is used here of an Express 4 application's router. */
export type ExpressApp = { _router?: { stack: Layer[] } }
type Layer = { match: (path: string) => boolean; route?: { methods: Record<string, boolean>; stack: { handle: unknown }[] } }

/** Node-RED puts this in front of every endpoint that a flow opens (`httpNodeMiddleware`), which makes them known. */
export function markUserEndpoint(_request: IncomingMessage, _response: ServerResponse, next: () => void): void {
  next()
}

/** Whether a request goes to an endpoint that a flow has opened, such as an http in node. */
export function isUserEndpoint(app: ExpressApp, method: string, path: string): boolean {
  return (app._router?.stack ?? []).some(
    (layer) =>
      layer.route?.stack.some(({ handle }) => handle === markUserEndpoint) && accepts(layer.route.methods, method) && layer.match(path),
  )
}

function accepts(methods: Record<string, boolean>, method: string): boolean {
  const name = method.toLowerCase()
  // OPTIONS asks for the leave to send another method; HEAD is answered by GET.
  return methods._all === true || methods[name] === true || name === 'options' || (name === 'head' && methods.get === true)
}
