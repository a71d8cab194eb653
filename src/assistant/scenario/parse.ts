import { isMap, isScalar, LineCounter, parseDocument, type Node, type YAMLMap } from 'yaml'
import { isKnownEncoding } from '../../tcp/encoding.ts'
import type { Wanted } from './inbox.ts'
import { parseHostPort, parsePort } from '../shared/address.ts'
import { CHECKSUM_NAMES, CHECKSUMS } from '../shared/checksum.ts'
import { composeBytes } from '../shared/compose.ts'
import { parseHexPattern } from '../shared/pattern.ts'
import { parseRegex } from '../shared/regex.ts'
import type { Code } from '../shared/notice.ts'
import type { ChecksumSpec, Draft, EndpointSpec } from '../shared/spec.ts'
import { Fields, TooManyMistakes } from './fields.ts'
import { ScenarioError, STEP_KINDS, type Scenario, type ScenarioPeer, type Step } from './model.ts'

const DEFAULT_TIMEOUT_MS = 5_000
const MAX_FILE_LENGTH = 1024 * 1024
const MAX_REPEATS = 100_000
const MAX_DEPTH = 5
const MAX_PEERS = 100
const MAX_YAML_ERRORS = 20
const KEYS = ['name', 'timeout', 'peers', 'steps']
const PEER_KEYS = ['client', 'server', 'udp', 'local', 'encoding', 'tls', 'verify', 'later', 'reconnect']
const DRAFT_KEYS = ['text', 'hex', 'encoding', 'escapes', 'ending', 'checksum', 'macros']
const MISTAKES: Partial<Record<Code, string>> = { BAD_HEX: 'no HEX', BAD_ESCAPE: 'no escape', BAD_MACRO: 'no macro' }
const ENDINGS = { none: '', lf: '\n', cr: '\r', crlf: '\r\n' } as const

export type Source = { file: string; variables?: Readonly<Record<string, string | undefined>> }

/** @throws ScenarioError */
export function parseScenario(text: string, { file, variables = {} }: Source): Scenario {
  if (text.length > MAX_FILE_LENGTH)
    throw new ScenarioError(file, [{ line: 1, key: '', text: `longer than ${MAX_FILE_LENGTH} characters` }])
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, schema: 'core', uniqueKeys: false })
  if (document.errors.length > 0) {
    const mistakes = document.errors.slice(0, MAX_YAML_ERRORS).map(({ pos, message }) => ({
      line: lines.linePos(pos[0]).line,
      key: '',
      text: `not YAML: ${message}`,
    }))
    throw new ScenarioError(file, mistakes)
  }
  const parser = new Parser(new Fields(lines, variables))
  const scenario = parser.tryToRead(document.contents, file)
  if (scenario === undefined || parser.fields.mistakes.length > 0) throw new ScenarioError(file, parser.fields.mistakes)
  return scenario
}

class Parser {
  readonly fields: Fields
  private peers = new Map<string, ScenarioPeer>()
  private timeoutMs = DEFAULT_TIMEOUT_MS

  constructor(fields: Fields) {
    this.fields = fields
  }

  tryToRead(node: Node | null, file: string): Scenario | undefined {
    try {
      return this.read(node, file)
    } catch (error) {
      if (error instanceof TooManyMistakes) return undefined
      throw error
    }
  }

  private read(node: Node | null, file: string): Scenario | undefined {
    const { fields } = this
    const map = fields.map(node, '', KEYS)
    if (map === undefined) return undefined
    const timeout = fields.get(map, 'timeout')
    if (timeout !== undefined) this.timeoutMs = fields.duration(timeout, 'timeout') ?? DEFAULT_TIMEOUT_MS
    const peers = fields.get(map, 'peers')
    if (isMap(peers) && peers.items.length > MAX_PEERS) fields.wrong(peers, 'peers', `at most ${MAX_PEERS} are allowed`)
    else if (isMap(peers) && peers.items.length > 0)
      for (const { key, value } of peers.items) this.readPeer(key as Node, value as Node | null)
    else fields.wrong(peers ?? map, 'peers', 'at least one is needed, such as device: { client: 192.168.1.5:4001 }')
    const steps = this.readSteps(fields.get(map, 'steps') ?? map, 0)
    const name = fields.plain(fields.get(map, 'name')) ?? file
    return { name, file, timeoutMs: this.timeoutMs, peers: this.peers, steps }
  }

  private readPeer(key: Node, value: Node | null): void {
    const { fields } = this
    const name = fields.plain(key) ?? ''
    if (this.peers.has(name)) return fields.wrong(key, name, 'it is there twice')
    const map = fields.map(value ?? key, name, PEER_KEYS)
    if (map === undefined) return
    const kinds = (['client', 'server', 'udp'] as const).filter((kind) => map.has(kind))
    if (kinds.length !== 1) return fields.wrong(key, name, 'exactly one of client, server and udp is needed')
    const spec = this.readSpec(kinds[0]!, map)
    const encoding = this.readEncoding(map) ?? 'utf8'
    if (spec) this.peers.set(name, { name, line: fields.lineOf(key), spec, encoding, later: fields.flag(map, 'later') })
  }

  private readSpec(kind: 'client' | 'server' | 'udp', map: YAMLMap<Node, Node | null>): EndpointSpec | undefined {
    const { fields } = this
    const node = fields.get(map, kind)
    const form = kind === 'server' ? 'a port is needed, such as 4001' : 'an address is needed, such as 192.168.1.5:4001'
    const text = fields.filled(node, kind, form)
    if (text === undefined) return undefined
    if (kind === 'server') {
      const port = parsePort(text)
      return port === undefined ? fields.wrong(node, kind, `"${text}" is no port: 0 to 65535 is allowed`) : { kind: 'tcp-server', port }
    }
    const target = parseHostPort(text)
    if (target === undefined) return fields.wrong(node, kind, `"${text}" is no address: allowed is HOST:PORT, such as 192.168.1.5:4001`)
    if (kind === 'udp') {
      const local = fields.get(map, 'local')
      return { kind: 'udp', localPort: local === undefined ? 0 : (fields.whole(local, 'local', [0, 65_535]) ?? 0), ...target }
    }
    const reconnect = fields.get(map, 'reconnect')
    const reconnectMs = reconnect === undefined ? undefined : fields.duration(reconnect, 'reconnect')
    const tls = fields.flag(map, 'tls') ? { tls: { verify: map.has('verify') ? fields.flag(map, 'verify') : true } } : {}
    return { kind: 'tcp-client', ...target, ...tls, ...(reconnectMs === undefined ? {} : { reconnectMs }) }
  }

  private readSteps(node: Node, depth: number): Step[] {
    const entries = this.fields.sequence(node, 'steps') ?? []
    if (entries.length === 0) this.fields.wrong(node, 'steps', `at least one is needed: ${STEP_KINDS.join(', ')}`)
    return entries.flatMap((entry) => this.readStep(entry, depth) ?? [])
  }

  private readStep(node: Node, depth: number): Step | undefined {
    const { fields } = this
    if (!isMap(node)) return fields.wrong(node, 'steps', `a step is one of ${STEP_KINDS.join(', ')}, such as "- send: hello"`)
    const map = node as YAMLMap<Node, Node | null>
    const kinds = STEP_KINDS.filter((kind) => map.has(kind))
    const [kind] = kinds
    if (kind === undefined || kinds.length > 1) {
      const keys = map.items.map(({ key }) => fields.plain(key) ?? '').join(', ')
      return fields.wrong(node, keys, `a step has exactly one of ${STEP_KINDS.join(', ')}`)
    }
    fields.map(node, kind, [kind, 'name', ...EXTRA_KEYS[kind]])
    const base = { line: fields.lineOf(node), name: fields.plain(fields.get(map, 'name')) }
    const value = fields.get(map, kind)
    switch (kind) {
      case 'send': {
        const peer = this.readPeerName(map, 'to')
        const draft = peer === undefined ? undefined : this.readDraft(value ?? node, map, peer)
        return peer === undefined || draft === undefined ? undefined : { ...base, do: kind, peer, draft, timeoutMs: this.readTimeout(map) }
      }
      case 'expect': {
        const peer = this.readPeerName(map, 'from')
        const wanted = this.readWanted(value ?? node)
        return peer === undefined || wanted === undefined
          ? undefined
          : { ...base, do: kind, peer, wanted, timeoutMs: this.readTimeout(map) }
      }
      case 'silence': {
        const peer = this.readPeerName(map, 'from')
        const ms = fields.duration(value, kind)
        return peer === undefined || ms === undefined ? undefined : { ...base, do: kind, peer, ms }
      }
      case 'wait': {
        const ms = fields.duration(value, kind)
        return ms === undefined ? undefined : { ...base, do: kind, ms }
      }
      case 'repeat': {
        const times = fields.whole(value, kind, [1, MAX_REPEATS])
        if (depth >= MAX_DEPTH) return fields.wrong(node, kind, `at most ${MAX_DEPTH} of them inside each other`)
        return { ...base, do: kind, times: times ?? 1, steps: this.readSteps(fields.get(map, 'steps') ?? node, depth + 1) }
      }
      default: {
        const peer = this.knownPeer(value, kind)
        return peer === undefined ? undefined : { ...base, do: kind, peer, timeoutMs: this.readTimeout(map) }
      }
    }
  }

  private readTimeout(map: YAMLMap<Node, Node | null>): number {
    const node = this.fields.get(map, 'timeout')
    return node === undefined ? this.timeoutMs : (this.fields.duration(node, 'timeout') ?? this.timeoutMs)
  }

  /** The peer that a step names, or the only one there is. */
  private readPeerName(map: YAMLMap<Node, Node | null>, key: 'to' | 'from'): string | undefined {
    if (map.has(key)) return this.knownPeer(this.fields.get(map, key), key)
    const [only, ...others] = this.peers.keys()
    return others.length === 0 ? only : this.fields.wrong(map, key, `which of them? There are: ${[...this.peers.keys()].join(', ')}`)
  }

  private knownPeer(node: Node | undefined, key: string): string | undefined {
    const name = this.fields.plain(node)
    if (name !== undefined && this.peers.has(name)) return name
    return this.fields.wrong(node, key, `no peer "${name ?? ''}"; there are: ${[...this.peers.keys()].join(', ')}`)
  }

  private readEncoding(map: YAMLMap<Node, Node | null>): string | undefined {
    const node = this.fields.get(map, 'encoding')
    if (node === undefined) return undefined
    const name = this.fields.plain(node) ?? ''
    return isKnownEncoding(name)
      ? name
      : this.fields.wrong(node, 'encoding', `"${name}" is not known: utf8, gbk, gb18030, latin1 and others are`)
  }

  private readDraft(node: Node, step: YAMLMap<Node, Node | null>, peer: string): Draft | undefined {
    const { fields } = this
    const map = isScalar(node) ? step : fields.map(node, 'send', DRAFT_KEYS)
    if (map === undefined) return undefined
    const isHex = map.has('hex')
    if (!isScalar(node) && isHex === map.has('text')) return fields.wrong(node, 'send', 'one of text and hex is needed')
    const source = isScalar(node) ? node : fields.get(map, isHex ? 'hex' : 'text')
    const ending = fields.choice(map, 'ending', Object.keys(ENDINGS) as (keyof typeof ENDINGS)[]) ?? 'none'
    const checksum = this.readChecksum(map)
    const draft: Draft = {
      mode: isHex ? 'hex' : 'text',
      text: fields.text(source, 'send') ?? '',
      encoding: this.readEncoding(map) ?? this.peers.get(peer)?.encoding ?? 'utf8',
      escapes: fields.flag(map, 'escapes'),
      ending: ENDINGS[ending],
      ...(checksum && { checksum }),
      macros: fields.flag(map, 'macros'),
    }
    const tried = composeBytes({ ...draft, encoding: 'utf8' })
    if ('bytes' in tried) return draft
    const what = MISTAKES[tried.error.code] ?? 'not understood'
    return fields.wrong(source, isHex ? 'hex' : 'send', `"${tried.error.params.text}" at ${Number(tried.error.params.at) + 1} is ${what}`)
  }

  private readChecksum(map: YAMLMap<Node, Node | null>): ChecksumSpec | undefined {
    const node = this.fields.get(map, 'checksum')
    if (node === undefined) return undefined
    const name = CHECKSUM_NAMES.find((known) => known === this.fields.plain(node))
    if (name === undefined) return this.fields.wrong(node, 'checksum', `allowed are ${CHECKSUM_NAMES.join(', ')}`)
    return { name, order: CHECKSUMS[name].order }
  }

  private readWanted(node: Node): Wanted | undefined {
    const { fields } = this
    if (isScalar(node)) return this.wantedOf('text', node)
    const map = fields.map(node, 'expect', ['text', 'hex', 'regex'])
    const [by, ...others] = (['text', 'hex', 'regex'] as const).filter((name) => map?.has(name))
    if (map === undefined || by === undefined || others.length > 0)
      return fields.wrong(node, 'expect', 'one of text, hex and regex is needed')
    return this.wantedOf(by, fields.get(map, by))
  }

  private wantedOf(by: Wanted['by'], node: Node | undefined): Wanted | undefined {
    const text = this.fields.text(node, 'expect')
    if (text === undefined) return undefined
    if (text === '') return this.fields.wrong(node, by, 'there is nothing to look for')
    if (by === 'hex' && parseHexPattern(text) === undefined)
      return this.fields.wrong(node, by, `"${text}" is not HEX, such as 01 03 or 01 ?? 0A`)
    if (by === 'regex') {
      const parsed = parseRegex(text)
      if ('reason' in parsed) return this.fields.wrong(node, by, parsed.reason)
    }
    return { by, text }
  }
}

const EXTRA_KEYS: Record<(typeof STEP_KINDS)[number], readonly string[]> = {
  send: ['to', 'timeout', 'encoding', 'escapes', 'ending', 'checksum', 'macros'],
  expect: ['from', 'timeout'],
  silence: ['from'],
  wait: [],
  open: ['timeout'],
  close: ['timeout'],
  connected: ['timeout'],
  closed: ['timeout'],
  repeat: ['steps'],
}
