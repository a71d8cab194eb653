import type { Place } from './place.ts'

export const PART_NAMES = ['ports', 'assistant'] as const
export type PartName = (typeof PART_NAMES)[number]

export type PartOptions = { rounds: number; windowMs: number; place: Place; signal: AbortSignal }

/** What a part has come to: a text in Markdown, an object for each figure, and whether what is promised is kept. */
export type PartReport = { text: string; json: object[]; goalsMet: boolean }

/** Something that is measured in a way of its own, beside the workloads. Undefined: not here, and a line has said why. */
export type Part = (options: PartOptions) => Promise<PartReport | undefined>
