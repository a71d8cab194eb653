// What a language has texts for; English has them all.
import type { en } from './en.ts'
import type { enCodes } from './en-codes.ts'
import type { enTools } from './en-tools.ts'

export type Key = keyof typeof en
export type Catalog = Record<Key, string>
export type ToolsCatalog = Record<keyof typeof enTools, string>
/** What happened and what to do, by the code that the server tells. */
export type CodeCatalog = Record<keyof typeof enCodes, string>
