import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

export const LOCK_FILE = '.lock'
const SQLITE_BUSY = 5

/** Locks of this process; they stay open until it ends. */
const held: DatabaseSync[] = []

/**
 * Locks a folder for this process until it ends, however it ends. The lock is the kernel's, on a file in the folder: it goes with its
 * holder, by a kill -9 too, and containers that share the folder on one machine see it. Node.js has no call for such locks; its SQLite
 * takes one for a transaction, and that is all it is used for: the file stays empty.
 *
 * `impossible`: the file system has no such locks.
 */
export function lockFolder(folder: string): 'locked' | 'taken' | 'impossible' {
  const path = join(folder, LOCK_FILE)
  let file: DatabaseSync | undefined
  try {
    // SQLite would make it 0644, whatever the umask: another user of the same group could not start on it.
    closeSync(openSync(path, 'a', 0o666))
    file = new DatabaseSync(path, { timeout: 0 })
    file.exec('BEGIN EXCLUSIVE')
  } catch (error) {
    file?.close()
    return (error as { errcode?: number }).errcode === SQLITE_BUSY ? 'taken' : 'impossible'
  }
  held.push(file)
  return 'locked'
}
