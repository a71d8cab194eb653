const MAX_TEXT = 200
// Control characters, and those that turn the direction of text or are not seen.
const NOT_FOR_READING = /[\p{C}\p{Zl}\p{Zp}]/gu

/** Text of somebody else, fit to be shown: one line, and not too long. */
export function readable(text: string): string {
  return text.replace(NOT_FOR_READING, ' ').trim().slice(0, MAX_TEXT)
}
