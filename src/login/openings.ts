import type { Openings } from './gate.ts'
import { isOwn } from './own-paths.ts'
import { isBelow, type Target } from './request-target.ts'
import { isModuleRoute, isUserEndpoint, serveUserEndpoint, type ExpressApp } from './user-endpoints.ts'

const SHOWN_CHARACTERS = 200

/** What Node-RED says about the running flows. */
export type Surroundings = {
  httpNode: ExpressApp
  httpAdmin: ExpressApp
  /** Where flows have their dashboards. */
  dashboards: () => string[]
  /** Whether a flow listens for WebSockets on a path. */
  isSocket: (path: string) => boolean
  warn: (message: string) => void
  /** An address has tried to log in too often: strangers may have any number of them. */
  onSlowed: (message: string) => void
  /** A request failed, of which strangers can send any number. */
  onFailed: (message: string) => void
}

export type OpeningOptions = {
  adminRoot: string
  /** Asks for the login at endpoints of flows, too. */
  closeUserEndpoints: boolean
  /** Routes of modules that are open, with all below them. */
  openPaths: readonly string[]
}

/** What is open: endpoints of flows, and the paths that the configuration names. What is ours is never open, whatever covers it. */
export function createOpenings(options: OpeningOptions, { httpNode, httpAdmin, dashboards, isSocket, onFailed }: Surroundings): Openings {
  const { adminRoot, closeUserEndpoints } = options
  const openPaths = options.openPaths.map((path) => path.toLowerCase())
  const isOurs = (method: string, { readings }: Target) => isOwn({ method, readings }, { adminRoot, dashboards: dashboards() })
  const isNamed = (method: string, target: Target) =>
    openPaths.length > 0 && target.readings.every((reading) => openPaths.some((path) => isBelow(reading, path))) && !isOurs(method, target)

  return {
    isEndpoint: (method, target) =>
      (!closeUserEndpoints || isNamed(method, target)) &&
      isUserEndpoint(httpNode, method, target.pathname) &&
      !isModuleRoute(httpNode, method, target.pathname) &&
      (adminRoot !== '/' || !isModuleRoute(httpAdmin, method, target.pathname)) &&
      !isOurs(method, target),
    serve(request, response) {
      const failed = ({ message }: Error) =>
        onFailed(`${request.method} ${request.url?.slice(0, SHOWN_CHARACTERS)} failed: ${message.slice(0, SHOWN_CHARACTERS)}`)
      serveUserEndpoint(httpNode, { request, response, failed }, (error) => {
        if (error) failed(error)
        if (response.headersSent) response.destroy()
        else response.writeHead(error ? (error.status ?? 500) : 404, { 'content-type': 'text/plain' }).end()
      })
    },
    isNamed,
    isSocket: (target) => isNamed('GET', target) || (!closeUserEndpoints && isSocket(target.pathname) && !isOurs('GET', target)),
  }
}
