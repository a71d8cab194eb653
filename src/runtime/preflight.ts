import { accessSync, constants, existsSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { LOCK_FILE, lockFolder } from '../storage/folder-lock.ts'

const PROBE_FILE = '.write-probe'
// Written by an earlier start, perhaps as another user.
const OWN_FILES = ['.secrets', LOCK_FILE, 'flows.json', '.config.runtime.json']

/** Makes sure that the data folder exists and is writable.
 * @throws Error with uid, gid, owner and the line that helps
 */
export function assertDataWritable(dataDir: string): void {
  let path = dataDir
  try {
    mkdirSync(dataDir, { recursive: true })
    accessSync(dataDir, constants.R_OK | constants.W_OK | constants.X_OK)
    const probe = join(dataDir, PROBE_FILE)
    writeFileSync(probe, '')
    rmSync(probe)
    for (const name of OWN_FILES) {
      path = join(dataDir, name)
      if (existsSync(path)) accessSync(path, constants.R_OK | constants.W_OK)
    }
  } catch (cause) {
    throw new Error(describe(path, dataDir, cause as NodeJS.ErrnoException), { cause })
  }
}

/**
 * Makes sure that no other process works on the data folder: two would overwrite each other's flows, and listen on the same ports.
 * Returns whether the folder could be locked.
 * @throws Error with what to do when another one has it
 */
export function claimData(dataDir: string): boolean {
  const lock = lockFolder(dataDir)
  if (lock !== 'taken') return lock === 'locked'
  const other = dataDir === '/data' ? 'give this one a volume of its own' : 'set DATA_DIR to another folder for this one'
  throw new Error(`${dataDir} is in use: another node-red-tcp runs on it. Stop that one, or ${other}.`)
}

function describe(path: string, dataDir: string, error: NodeJS.ErrnoException): string {
  if (error.code === 'ENOSPC' || error.code === 'EDQUOT') return `${path}: no space left to write to. Free some space, then start again.`
  const uid = process.getuid?.()
  const gid = process.getgid?.()
  const lines = [`${path} cannot be written (${error.code}) by uid ${uid}, gid ${gid}.`]
  const owner = ownerOf(path)
  if (owner) lines.push(`It belongs to uid ${owner.uid}, gid ${owner.gid}, mode ${owner.mode}.`)
  if (error.code === 'EROFS') lines.push('Mount it writable: drop ":ro" from the volume line.')
  else lines.push(...waysOut(dataDir, uid, owner))
  return lines.join('\n  ')
}

function ownerOf(path: string): { uid: number; gid: number; mode: string } | undefined {
  try {
    const { uid, gid, mode } = statSync(path)
    return { uid, gid, mode: (mode & 0o7777).toString(8) }
  } catch {
    return undefined
  }
}

function waysOut(dataDir: string, uid: number | undefined, owner: { uid: number; gid: number } | undefined): string[] {
  if (dataDir !== '/data') return [`Mend it with: sudo chown -R ${uid} ${dataDir}`]
  const lines = [
    'Mend it, for a folder of the host, with',
    `  sudo chown -R ${uid}:0 <the folder that is mounted at /data>`,
    'or, for a named volume, with',
    `  docker compose run --rm --no-deps --user 0:0 --cap-add CHOWN --cap-add DAC_OVERRIDE --entrypoint chown node-red -R ${uid}:0 /data`,
  ]
  if (owner && owner.uid !== 0) lines.push('or run as its owner, in docker-compose.yml:', `  user: "${owner.uid}:${owner.gid}"`)
  return lines
}
