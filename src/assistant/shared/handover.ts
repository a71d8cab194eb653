// How a flow gets from the assistant's page into an editor of the same browser. Types only: the two share no module at run time, and
// with these neither can write a name that the other does not know.

/** The BroadcastChannel on which page and open editors find each other. */
export type HandoverChannel = 'node-red-tcp/flow'
/** Where in localStorage a flow waits for the editor that opens next. */
export type HandoverSlot = 'node-red-tcp.flow'

/** What open editors keep in localStorage, so that a page without one need not wait for an answer. */
export type EditorPresence = 'node-red-tcp.editor'

/** For so long a flow waits in the slot. */
export type HandoverWaitMs = 600_000

/** What became of a flow in an editor. `busy`: a dialog is open there; `unknown`: it does not know these node types. */
export type Placed = { result: 'placed' } | { result: 'busy' } | { result: 'not-permitted' } | { result: 'unknown'; types: string[] }

export type HandoverMessage =
  | { step: 'who'; id: string }
  | { step: 'here'; id: string; editor: string }
  | { step: 'place'; id: string; editor: string; flow: string }
  | ({ step: 'done'; id: string } & Placed)

export type WaitingFlow = { at: number; flow: string }
