import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from 'playwright-core'

export type Box = { x: number; y: number; width: number; height: number }

/** Writes pictures of one language into a folder, and remembers their names. */
export class Pictures {
  readonly taken: string[] = []
  private readonly folder: string

  constructor(folder: string) {
    this.folder = folder
    mkdirSync(folder, { recursive: true })
  }

  /** Takes what the box of the page shows, and no more than the window. */
  async take(name: string, page: Page, box?: Box): Promise<void> {
    const { width, height } = page.viewportSize()!
    const [left, top] = box ? [Math.max(0, Math.floor(box.x)), Math.max(0, Math.floor(box.y))] : [0, 0]
    const [right, bottom] = box
      ? [Math.min(width, Math.ceil(box.x + box.width)), Math.min(height, Math.ceil(box.y + box.height))]
      : [width, height]
    // Nothing shall be under the pointer: what it hovers over shows a hint.
    await page.mouse.move(width / 2, height - 1)
    await page.locator('.red-ui-popover').first().waitFor({ state: 'detached' })
    const clip = { x: left, y: top, width: right - left, height: bottom - top }
    writeFileSync(join(this.folder, `${name}.png`), await page.screenshot({ clip, animations: 'disabled', caret: 'hide' }))
    this.taken.push(`${name}.png`)
  }
}

/** The box around all of them. */
export function around(boxes: readonly Box[], margin: number): Box {
  const left = Math.min(...boxes.map(({ x }) => x)) - margin
  const top = Math.min(...boxes.map(({ y }) => y)) - margin
  const right = Math.max(...boxes.map(({ x, width }) => x + width)) + margin
  const bottom = Math.max(...boxes.map(({ y, height }) => y + height)) + margin
  return { x: left, y: top, width: right - left, height: bottom - top }
}
