// Who has a port of this host: a container that publishes it, or a process that listens on it.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { ask, type Engine } from './docker.ts'

const LISTENING = '0A'
const MAX_PROCESSES = 20_000
const ANY = new Set(['0.0.0.0', '::', ''])

/** A place on the host, such as 0.0.0.0 and 15502. */
export type HostPlace = { address: string; hostPort: number }

/**
 * Who holds a port of the host, in words: `container web-1`, `process nginx (pid 812)`, or `another process` when it belongs to
 * somebody else. Undefined: nobody, or it can not be known from here. Containers whose ids are `except`ed do not count.
 */
export async function findHolder(engine: Engine, place: HostPlace, except: ReadonlySet<string> = new Set()): Promise<string | undefined> {
  const containers = await ask(engine, engine.calls.listContainers())
  for (const { Id, Names, Ports } of containers) {
    const holds = Ports.some(
      ({ IP, PublicPort, Type }) => Type === 'tcp' && PublicPort === place.hostPort && collides(IP ?? '', place.address),
    )
    if (!holds) continue
    if (except.has(Id)) return undefined
    return `container ${(Names[0] ?? Id).replace(/^\//, '')}`
  }
  return engine.isHere && process.platform === 'linux' ? findListeningProcess(place) : undefined
}

function findListeningProcess(place: HostPlace): string | undefined {
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

function collides(one: string, other: string): boolean {
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
