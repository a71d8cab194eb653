import type { NodeRed } from './node-red.ts'

/** Puts the login in front of the editor's HTTP server. */
function loginPlugin(RED: NodeRed): void {
  const login = RED.settings.distribution?.login
  if (!login) return
  login.guard(RED.server, {
    httpNode: RED.httpNode,
    isOpenSocket: (path) => listensForWebSockets(RED, path),
    warn: (message) => RED.log.warn(message),
  })
}

function listensForWebSockets(RED: NodeRed, path: string): boolean {
  let found = false
  RED.nodes.eachNode(({ type, id, path: configured }) => {
    if (type !== 'websocket-listener') return
    const listening = RED.nodes.getNode(id)?.path ?? configured
    found ||= typeof listening === 'string' && `/${listening.replace(/^\/+/, '')}` === path
  })
  return found
}

export { loginPlugin as 'module.exports' }
