import { measureAssistant } from './assistant/measure.ts'
import type { Part, PartName } from './part.ts'
import { measurePorts } from './ports/measure.ts'

export const PARTS: Record<PartName, Part> = { ports: measurePorts, assistant: measureAssistant }
