const MAX_TEXT = 200
// Control characters, and those that change the direction of text or are invisible.
const NOT_FOR_READING = /[\p{C}\p{Zl}\p{Zp}]/gu

/** Untrusted text made fit to show: one line, and not too long. */
export function readable(text: string): string {
  return text.replace(NOT_FOR_READING, ' ').trim().slice(0, MAX_TEXT)
}
