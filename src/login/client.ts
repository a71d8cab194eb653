import type { IncomingMessage } from 'node:http'
import { isIP } from 'node:net'
import { matches, normalizeAddress, parseAddressList } from '../tcp/access-list.ts'

/** Who sent a request, and how it reached us. */
export type Client = {
  /** The nearest address that is not one of the trusted proxies'. */
  address: string
  /** Names of this server, as the browser may have written them. */
  hosts: string[]
  /** Whether a trusted proxy says that the client has come over HTTPS. */
  secure: boolean
}

/** Reads X-Forwarded-For, -Host and -Proto of requests that come from `trustedProxies`, and of no others: anybody can send these headers. */
export function createClientReader(trustedProxies = ''): (request: IncomingMessage) => Client {
  const proxies = parseAddressList(trustedProxies)
  return ({ headers, socket }) => {
    const peer = normalizeAddress(socket.remoteAddress ?? '')
    const own = headers.host === undefined ? [] : [headers.host]
    if (!matches(proxies, peer)) return { address: peer, hosts: own, secure: false }
    const address = furthestKnown(peer, listOf(headers['x-forwarded-for']), (address) => matches(proxies, address))
    // The first one is the browser's. Whoever could write it there himself is no page of another origin: those may not send such headers.
    const [host] = listOf(headers['x-forwarded-host'])
    const [scheme] = listOf(headers['x-forwarded-proto'])
    return { address, hosts: host === undefined ? own : [host, ...own], secure: scheme?.toLowerCase() === 'https' }
  }
}

// Each proxy adds the address that it sees at the right: what is left of the first stranger was written by that stranger.
function furthestKnown(peer: string, forwarded: string[], isProxy: (address: string) => boolean): string {
  let address = peer
  for (const entry of forwarded.reverse()) {
    const next = addressOf(entry)
    if (next === undefined) return address
    address = next
    if (!isProxy(address)) return address
  }
  return address
}

/** The address of an entry, which some proxies write with a port. */
function addressOf(entry: string): string | undefined {
  const bare = /^\[(.+)\](?::\d+)?$/.exec(entry)?.[1] ?? /^([\d.]+):\d+$/.exec(entry)?.[1] ?? entry
  return isIP(bare) === 0 ? undefined : normalizeAddress(bare)
}

function listOf(header: string | string[] | undefined): string[] {
  return String(header ?? '')
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '')
}
