import { dirname, join } from 'node:path'

/** What was compiled once need not be for every process that a test starts: half of what a short command takes is that. */
export const COMPILE_CACHE = join(dirname(dirname(import.meta.dirname)), 'node_modules', '.cache', 'test-compile-cache')
