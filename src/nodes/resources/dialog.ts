// What the three dialogs share: the Advanced section, what is shown when, and saving without noise. Runs in the browser: the
// dialogs load it, compiled, as a module script, and find it as `tcpNodes`.

import { checks, isVariable, MODULE, SHARED_TEXTS, type Check, type Get, type Value } from './checks.ts'

/** A property of a node, as the flow file has it. */
type Property = string | number | boolean | null | undefined
type Condition = (get: Get) => boolean

type Option = {
  group: (typeof GROUPS)[number]
  kind: 'number' | 'text' | 'select' | 'check'
  /** What the dialog shows for a property that is not set. */
  default?: Value
  /** The value for a node newly put on the canvas; one that comes from elsewhere without the property stays without it. */
  initial?: Value
  choices?: readonly string[]
  /** Whether it means anything for the node as it is set up; what does not is neither shown nor saved. */
  when?: Condition
  required?: boolean
  check?: Check
  unit?: string
  /** The placeholder of an empty field, literal or by the key of a text. */
  placeholder?: string
  hint?: string
  list?: string
  /** Its texts are those of tcp in, for all nodes. */
  shared?: boolean
}

type Options = Record<string, Option>
type Defaults = Record<string, { value?: Property; validate?: (value: Property, options: unknown) => boolean | string }>
type EditorNode = Record<string, Property>
type Definition = { defaults: Defaults; oneditprepare?: () => void; oneditsave?: () => void; oneditcancel?: () => void }

type Dialog = {
  type: string
  set: string
  definition: Definition
  options: Options
  /** Elements of the main part that are shown conditionally, by id. */
  rows: Record<string, Condition>
  /** Called whenever something changes in the dialog. */
  onUpdate?: (get: Get) => void
}

// The parts of the editor that are used here.
type Elements = {
  readonly length: number
  attr: ((name: string) => string | undefined) & ((name: string, value: string) => Elements)
  closest: (selector: string) => Elements
  is: (selector: string) => boolean
  on: (events: string, handler: () => void) => Elements
  prop: ((name: string) => unknown) & ((name: string, value: boolean) => Elements)
  remove: () => Elements
  removeAttr: (name: string) => Elements
  text: (() => string) & ((text: string) => Elements)
  toggle: (visible: boolean) => Elements
  val: (() => unknown) & ((value: string) => Elements)
}
declare const $: (selector: string) => Elements
declare const RED: { _: (key: string, values?: Record<string, unknown>) => string }

const GROUPS = ['framing', 'text', 'offline', 'replies', 'limits', 'access', 'connection'] as const
const ENCODINGS = [
  'gb18030',
  'gbk',
  'big5',
  'shift_jis',
  'euc-jp',
  'euc-kr',
  'latin1',
  'windows-1252',
  'windows-1251',
  'utf-16le',
  'utf-16be',
  'ascii',
]
// The longest delay of a Node.js timer.
const MAX_MS = 2_147_483_647
const MAX_S = 2_000_000

/** The node whose dialog is open. */
let edited: EditorNode | undefined
const setEdited = (node?: EditorNode) => (edited = node)

function readInput(name: string): Value {
  const input = $(`#node-input-${name}`)
  if (input.attr('type') === 'checkbox') return input.prop('checked') === true
  const value = input.val()
  return typeof value === 'string' ? value : ''
}

function readerOf(node: EditorNode, options: Options): Get {
  if (node === edited) return readInput
  return (name) => {
    const value = name === 'usetls' ? Boolean(node.tls) : (node[name] ?? options[name]?.default ?? '')
    return typeof value === 'boolean' ? value : String(value)
  }
}

/** A validator that says what is wrong. */
function validator(label: () => string, check: Check, options: Options = {}) {
  return function (this: EditorNode, value: Property, _options: unknown): true | string {
    const text = String(value ?? '')
    const reason = isVariable(text) ? undefined : check(text, readerOf(this, options))
    return reason === undefined || `${label()}: ${reason}`
  }
}

/** Options of text in any encoding. */
function encodingOption(when?: Condition): Options {
  return {
    encoding: {
      group: 'text',
      kind: 'text',
      shared: true,
      placeholder: 'utf8',
      list: 'encodings',
      check: checks.encoding,
      ...(when && { when }),
    },
  }
}

/** Options of nodes that listen, and those that they share with nodes that connect. */
function socketOptions(listens: Condition, isSocket: Condition): Options {
  const count = { kind: 'number', shared: true, hint: 'standard', check: checks.whole(0) } as const
  const seconds = { kind: 'number', shared: true, unit: 's', check: checks.whole(0, MAX_S), when: isSocket } as const
  const addresses = { group: 'access', kind: 'text', shared: true, check: checks.addressList, when: listens } as const
  return {
    maxConnections: { ...count, group: 'limits', when: listens },
    maxPerAddress: { ...count, group: 'limits', when: listens },
    idleTimeout: { ...seconds, group: 'limits', hint: 'standard' },
    bind: { group: 'access', kind: 'text', shared: true, hint: 'standard', check: checks.address, when: listens },
    allow: { ...addresses, placeholder: '10.0.0.0/8, 192.168.1.5' },
    deny: { ...addresses, hint: 'nobody' },
    proxyTrusted: { ...addresses, hint: 'standard' },
    clientCert: {
      group: 'access',
      kind: 'select',
      shared: true,
      choices: ['', 'request', 'require'],
      when: (get) => listens(get) && get('usetls') === true,
    },
    keepAlive: { ...seconds, group: 'connection', placeholder: '60' },
    noDelay: { group: 'connection', kind: 'check', shared: true, default: true, when: isSocket },
  }
}

function textsOf({ set }: Dialog, { shared: isShared }: Option): string {
  return isShared ? SHARED_TEXTS : `${MODULE}/${set}:`
}

function labelOf(dialog: Dialog, name: string, option: Option): string {
  return `${textsOf(dialog, option)}option.${name}.label`
}

/** Puts the rows of the options into the dialog's template, at its marks. */
function fillTemplate(dialog: Dialog): void {
  const template = $(`script[data-template-name="${dialog.type}"]`)
  const groups = GROUPS.map((group) => {
    const rows = Object.entries(dialog.options).filter(([, option]) => option.group === group)
    if (rows.length === 0) return ''
    const content = rows.map(([name, option]) => rowOf(dialog, name, option)).join('')
    return `<section id="tcp-nodes-${group}"><h4 data-i18n="${SHARED_TEXTS}group.${group}"></h4>${content}</section>`
  })
  const summary = `<summary data-i18n="${SHARED_TEXTS}advanced"></summary>`
  const encodings = ENCODINGS.map((name) => `<option value="${name}" data-i18n="${SHARED_TEXTS}encoding.${name}"></option>`).join('')
  const list = `<datalist id="tcp-nodes-encodings">${encodings}</datalist>`
  const section = `<details id="tcp-nodes-advanced">${summary}${groups.join('')}${list}</details>`
  template.text(template.text().replace('<!-- advanced -->', () => section))
}

function rowOf(dialog: Dialog, name: string, option: Option): string {
  const id = `node-input-${name}`
  const label = `<label for="${id}" data-i18n="${labelOf(dialog, name, option)}"></label>`
  const unit = option.unit ? `<span data-i18n="${SHARED_TEXTS}unit.${option.unit}"></span>` : ''
  const content = option.kind === 'check' ? controlOf(dialog, name, option) + label : label + controlOf(dialog, name, option) + unit
  return `<div class="form-row tcp-nodes-option tcp-nodes-${option.kind}" id="node-row-${name}">${content}</div>`
}

function controlOf(dialog: Dialog, name: string, option: Option): string {
  const id = `node-input-${name}`
  const texts = `${textsOf(dialog, option)}option.${name}`
  const { kind, choices = [], placeholder, hint, list } = option
  if (kind === 'check') return `<input type="checkbox" id="${id}">`
  if (kind === 'select') {
    return `<select id="${id}">${choices.map((choice) => `<option value="${choice}" data-i18n="${texts}.choice.${choice || 'default'}"></option>`).join('')}</select>`
  }
  const empty = hint ? ` data-i18n="[placeholder]${SHARED_TEXTS}hint.${hint}"` : placeholder ? ` placeholder="${placeholder}"` : ''
  return `<input type="text" id="${id}"${empty}${list ? ` list="tcp-nodes-${list}"` : ''}>`
}

/** Makes a definition for `RED.nodes.registerType`: gives it our options, which a node has only where they are set. */
function define(dialog: Dialog): Definition {
  const { definition, options } = dialog
  fillTemplate(dialog)
  for (const [name, option] of Object.entries(options)) {
    const check: Check = (raw, get) => {
      const text = raw.trim()
      if (option.when?.(get) === false) return undefined
      if (text === '') return option.required ? checks.needed(text) : undefined
      return option.check?.(text, get)
    }
    definition.defaults[name] = {
      ...(option.initial !== undefined && { value: option.initial }),
      validate: validator(() => RED._(labelOf(dialog, name, option)), check, options),
    }
  }
  let opened: Record<string, Value> = {}
  return {
    ...definition,
    oneditprepare(this: EditorNode) {
      setEdited(this)
      fillForm(this, dialog)
      definition.oneditprepare?.call(this)
      const update = () => updateForm(dialog)
      $('#node-input-name').closest('form').on('change input', update)
      update()
      opened = readForm(dialog)
      const isSet = Object.entries(options).some(([name, option]) => opened[name] !== defaultOf(option))
      $('#tcp-nodes-advanced').prop('open', isSet)
    },
    oneditsave(this: EditorNode) {
      // As in Node-RED's own nodes: the select's first entry is none.
      if (readInput('usetls') === false) $('#node-input-tls').val('_ADD_')
      saveForm(this, dialog, opened)
      setEdited()
    },
    oneditcancel() {
      setEdited()
    },
  }
}

function defaultOf({ kind, default: value }: Option): Value {
  return value ?? (kind === 'check' ? false : '')
}

/** What Node-RED does not do by itself: selects and checkboxes of properties that are not set show the default. */
function fillForm(node: EditorNode, { definition, options }: Dialog): void {
  $('#node-input-usetls').prop('checked', Boolean(node.tls))
  for (const name of Object.keys(definition.defaults)) {
    if (node[name] !== undefined) continue
    const option = options[name]
    const value = option ? defaultOf(option) : definition.defaults[name]?.value
    const input = $(`#node-input-${name}`)
    if (input.attr('type') === 'checkbox') input.prop('checked', value === true)
    else if (input.is('select') && name !== 'tls') input.val(String(value))
  }
}

function updateForm({ options, rows, onUpdate }: Dialog): void {
  for (const [id, when] of Object.entries(rows)) $(`#${id}`).toggle(when(readInput))
  const shown = new Set<string>()
  for (const [name, { group, when }] of Object.entries(options)) {
    const visible = when?.(readInput) !== false
    $(`#node-row-${name}`).toggle(visible)
    if (visible) shown.add(group)
  }
  for (const group of GROUPS) $(`#tcp-nodes-${group}`).toggle(shown.has(group))
  $('#tcp-nodes-advanced').toggle(shown.size > 0)
  onUpdate?.(readInput)
}

/** What the dialog says; an option that does not apply counts as not set. */
function readForm({ definition, options }: Dialog): Record<string, Value> {
  const read = (name: string): Value => {
    const option = options[name]
    if (option?.when?.(readInput) === false) return defaultOf(option)
    return name === 'tls' && readInput('usetls') === false ? '' : readInput(name)
  }
  return Object.fromEntries(Object.keys(definition.defaults).map((name) => [name, read(name)]))
}

/**
 * Our options are set here and taken from the form, so that Node-RED does not copy them: what was not touched stays as it was, what is
 * at its default is not set. Likewise a property of Node-RED's own that an old flow does not have stays away unless it was changed.
 */
function saveForm(node: EditorNode, dialog: Dialog, opened: Record<string, Value>): void {
  const { options } = dialog
  for (const [name, value] of Object.entries(readForm(dialog))) {
    const option = options[name]
    const changed = value !== opened[name]
    if (option && changed) node[name] = toProperty(value, option)
    if (option || (!changed && node[name] === undefined)) $(`#node-input-${name}`).removeAttr('id')
  }
}

/** How a node has it: a number as one, unless it comes from a variable. */
function toProperty(value: Value, option: Option): Value | number | undefined {
  const text = typeof value === 'string' ? value.trim() : value
  if (text === defaultOf(option)) return undefined
  return typeof text === 'string' && option.kind !== 'text' && !Number.isNaN(Number(text)) ? Number(text) : text
}

Object.assign(globalThis, { tcpNodes: { define, validator, checks, encodingOption, socketOptions, MAX_MS, MAX_S } })
