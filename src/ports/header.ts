/**
 * What forwarders and the watcher send along to the status port. A web page can have a browser ask for any address, and the answer is out
 * of its reach; a header of one's own it cannot send without being allowed to, and nobody is.
 * https://developer.mozilla.org/docs/Web/HTTP/CORS#simple_requests
 */
export const PORTS_HEADER = 'node-red-tcp-ports'
