// Which process of this machine listens on a port, by /proc. Elsewhere nobody is found.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

const LISTENING = '0A'
const MAX_PROCESSES = 20_000
const ANY = new Set(['0.0.0.0', '::', ''])

/** A place on the host, such as 0.0.0.0 and 15502. */
export type HostPlace = { address: string; hostPort: number }

/** The process that listens on a place of this machine: `process nginx (pid 812)`, `another process` of somebody else, or nobody. */
export function findListeningProcess(place: HostPlace): string | undefined {
  const inodes = new Set(
    [...listeningSockets('/proc/net/tcp'), ...listeningSockets('/proc/net/tcp6')]
      .filter((socket) => matches(socket, place))
      .map(({ inode }) => inode),
  )
  if (inodes.size === 0) return undefined
  return nameOwner(inodes) ?? 'another process'
}

type ListeningSocket = { address: string; port: number; inode: string }

/** The table of TCP sockets. https://www.kernel.org/doc/Documentation/networking/proc_net_tcp.txt */
function listeningSockets(table: string): ListeningSocket[] {
  const rows = readText(table).split('\n').slice(1)
  return rows.flatMap((row) => {
    const [, local = '', , state, , , , , , inode = ''] = row.trim().split(/\s+/)
    const [hex = '', port = ''] = local.split(':')
    return state === LISTENING ? [{ address: parseAddress(hex), port: Number.parseInt(port, 16), inode }] : []
  })
}

/** Words of four bytes in the byte order of the machine, which is little-endian wherever Docker runs today. IPv6 matters as `::` only. */
function parseAddress(hex: string): string {
  if (/^0+$/.test(hex)) return hex.length > 8 ? '::' : '0.0.0.0'
  const mapped = /^0{16}FFFF0000(.{8})$/i.exec(hex)?.[1] ?? (hex.length === 8 ? hex : undefined)
  return mapped ? [6, 4, 2, 0].map((at) => Number.parseInt(mapped.slice(at, at + 2), 16)).join('.') : `[${hex}]`
}

function matches({ address, port }: ListeningSocket, place: HostPlace): boolean {
  return port === place.hostPort && collides(address, place.address)
}

/** Whether two addresses exclude each other. */
export function collides(one: string, other: string): boolean {
  return one === other || ANY.has(one) || ANY.has(other)
}

/** Processes of other users do not show their files: then nobody is named. */
function nameOwner(inodes: ReadonlySet<string>): string | undefined {
  const pids = readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))
  for (const pid of pids.slice(0, MAX_PROCESSES)) {
    for (const fd of list(`/proc/${pid}/fd`)) {
      const inode = /^socket:\[(\d+)\]$/.exec(readLink(`/proc/${pid}/fd/${fd}`))?.[1]
      if (inode !== undefined && inodes.has(inode)) return `process ${readText(`/proc/${pid}/comm`).trim() || '?'} (pid ${pid})`
    }
  }
  return undefined
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

function readLink(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    return ''
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
