import type { Told } from '../../shared/protocol.ts'
import { toBase64 } from './bytes.ts'
import { ask, hello, RequestError } from './connection.ts'

const CHUNK_BYTES = 48 * 1024

/** Sends a file in chunks, each after the one before has been taken. Tells what went wrong. */
export async function sendFile(endpoint: string, file: File, peer: string): Promise<Told | undefined> {
  const limit = hello.value?.limits.fileBytes ?? Infinity
  if (file.size > limit) return { code: 'FILE_TOO_LARGE', params: { bytes: file.size, limit } }
  try {
    await ask('file', { endpoint, ...(peer && { peer }), step: 'begin', name: file.name, size: file.size })
    for (let at = 0; at < file.size; at += CHUNK_BYTES) {
      const bytes = new Uint8Array(await file.slice(at, at + CHUNK_BYTES).arrayBuffer())
      await ask('file', { endpoint, step: 'chunk', data: toBase64(bytes) })
    }
    return undefined
  } catch (error) {
    if (!(error instanceof RequestError)) return { code: 'BAD_REQUEST', params: { reason: String(error) } }
    // After a cancel the next chunk finds nothing to belong to.
    return error.told.code === 'FILE_OUT_OF_STEP' ? undefined : error.told
  }
}
