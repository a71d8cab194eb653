// The parts of the editor that the sidebar uses, and texts in the editor's language.

/** Part of jQuery, which the editor has. What is given as `text` never becomes markup. */
export type Elements = {
  addClass: (name: string) => Elements
  append: (...content: (Elements | undefined)[]) => Elements
  attr: (name: string, value: string) => Elements
  empty: () => Elements
  insertAfter: (other: Elements) => Elements
  on: (event: string, handler: () => void) => Elements
  prependTo: (parent: Elements) => Elements
  remove: () => Elements
  replaceWith: (other: Elements) => Elements
  text: (text: string) => Elements
  toggle: (visible: boolean) => Elements
}

/** A node as the editor holds it. */
export type EditorNode = { type: string; status?: { text?: string }; dirtyStatus?: boolean }

export type Notification = { close: () => void }

export type FlowNode = { id: string; type: string }

type Editor = {
  _: (key: string, values?: Record<string, unknown>) => string
  clipboard: { copyText: (text: string, element: Elements, message: string) => void }
  comms: { subscribe: (topic: string, handler: (topic: string, data: never) => void) => void }
  events: { on: (event: string, handler: () => void) => void }
  menu: { addItem: (menu: string, item: { id: string; label: string; onselect: () => void } | null) => void }
  nodes: {
    eachConfig: (visit: (node: EditorNode & Record<string, unknown>) => void) => void
    node: (id: string) => EditorNode | null
    getType: (type: string) => object | undefined
    getWorkspaceOrder: () => string[]
    registry: { getNodeSetForType: (type: string) => { enabled: boolean } | undefined }
  }
  notify: (content: Elements | string, options: { id?: string; type: string; fixed?: boolean; timeout?: number }) => Notification
  plugins: { registerPlugin: (id: string, definition: { type: string; onadd: () => void }) => void }
  sidebar: {
    addTab: (tab: { id: string; name: string; label: string; iconClass: string; content: Elements; enableOnEdit: boolean }) => void
    show: (id: string) => void
  }
  user: { hasPermission: (permission: string) => boolean }
  view: {
    reveal: (id: string) => void
    redrawStatus: (node: EditorNode) => void
    importNodes: (nodes: FlowNode[], options: { generateIds: boolean; notify: boolean }) => void
  }
  workspaces: { show: (id: string) => void }
}

declare const RED: Editor
declare const $: (html: string) => Elements

export const editor: Editor = RED

const CATALOG = 'node-red-tcp-plugins/ports:'

/** The texts of one of our plugins, in the editor's language. */
export function textsOf(plugin: string): (key: string, values?: Record<string, unknown>) => string {
  return (key, values) => editor._(`node-red-tcp-plugins/${plugin}:${key}`, values)
}

/** A text of the ports. */
export const say = textsOf('ports')

/** An element with a class and, if given, text. */
export function element(tag: string, className: string, text?: string): Elements {
  const made = $(`<${tag}>`).addClass(className)
  return text === undefined ? made : made.text(text)
}

/** A button that does something at once. */
export function button(className: string, text: string, act: () => void): Elements {
  return element('button', className, text).attr('type', 'button').on('click', act)
}

/** A line of code with a button that copies it. */
export function copyable(code: string): Elements {
  const copy = button('red-ui-button red-ui-button-small', say('copy'), () => editor.clipboard.copyText(code, copy, `${CATALOG}copied`))
  copy.attr('aria-label', say('copyWhat', { what: code }))
  return element('div', 'tcp-ports-code').append(element('code', '', code), copy)
}
