import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

const MAX_EDITORS = 50
const file = join(dirname(dirname(import.meta.dirname)), 'node_modules', '.cache', 'node-red-tcp', 'device-marks.json')

/**
 * The cookie by which an editor knows a program that has signed in before (login/devices.ts), so that the wrong passwords of others do not
 * keep it out. It opens nothing.
 */
export function readMark(url: string): Record<string, string> {
  const mark = readMarks()[url]
  return mark === undefined ? {} : { cookie: mark }
}

export function keepMark(url: string, response: Response): void {
  const cookies = response.headers.getSetCookie().map((cookie) => cookie.split(';', 1)[0]!)
  const mark = cookies.find((cookie) => /^[^=]+-device=/.test(cookie))
  if (mark === undefined) return
  const others = Object.entries(readMarks()).filter(([other]) => other !== url)
  const marks = Object.fromEntries([...others, [url, mark] as const].slice(-MAX_EDITORS))
  try {
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, JSON.stringify(marks), { mode: 0o600 })
  } catch {
    // The checkout belongs to another user: it works without.
  }
}

function readMarks(): Record<string, string> {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>
  } catch {
    return {}
  }
}
