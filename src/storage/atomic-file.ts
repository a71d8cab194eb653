import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs'
import { open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'

type Options = { mode?: number }

/**
 * Writes a file so that after a crash it has either its old content or the new. It waits for the disk, so it is for the start alone; what
 * runs takes `writeFileAtomicLater`. The umask applies to `mode`.
 */
export function writeFileAtomic(path: string, content: string, { mode = 0o666 }: Options = {}): void {
  const temporary = `${path}.${process.pid}.tmp`
  try {
    const file = openSync(temporary, 'w', mode)
    try {
      const bytes = Buffer.from(content)
      for (let written = 0; written < bytes.length;) written += writeSync(file, bytes, written)
      fsyncSync(file)
    } finally {
      closeSync(file)
    }
    renameSync(temporary, path)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw error
  }
  const folder = openSync(dirname(path), 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}

/**
 * The same without keeping anything else waiting for the disk. One write of a path at a time.
 * @throws what the file system says
 */
export async function writeFileAtomicLater(path: string, content: string, { mode = 0o666 }: Options = {}): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`
  try {
    {
      await using file = await open(temporary, 'w', mode)
      await file.writeFile(content)
      await file.sync()
    }
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
  await using folder = await open(dirname(path), 'r')
  await folder.sync()
}
