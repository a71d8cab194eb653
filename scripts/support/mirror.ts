import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/**
 * Makes a folder equal to another. What is the same already is not touched, what differs changes at once as a whole: a program that
 * runs from the folder never reads half a file.
 */
export function mirror(from: string, to: string): void {
  const files = filesOf(from)
  for (const path of files) {
    const content = readFileSync(join(from, path))
    const target = join(to, path)
    if (existsSync(target) && readFileSync(target).equals(content)) continue
    mkdirSync(dirname(target), { recursive: true })
    const aside = `${target}.${process.pid}`
    writeFileSync(aside, content)
    renameSync(aside, target)
  }
  const wanted = new Set(files)
  if (existsSync(to)) for (const path of filesOf(to)) if (!wanted.has(path)) rmSync(join(to, path), { force: true })
}

function filesOf(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
}
