import { toBase64 } from './bytes.ts'
import { ask, hello, noticeOf } from './connection.ts'
import { notice, type Notice } from '../../shared/notice.ts'

const CHUNK_BYTES = 48 * 1024

/** Sends a file in chunks, each after the one before has been taken. Tells what went wrong. */
export async function sendFile(endpoint: string, file: File, peer: string): Promise<Notice | undefined> {
  const limit = hello.value?.limits.fileBytes ?? Infinity
  if (file.size > limit) return notice('FILE_TOO_LARGE', { bytes: file.size, limit })
  try {
    await ask('file', { endpoint, ...(peer && { peer }), step: 'begin', name: file.name, size: file.size })
    for (let at = 0; at < file.size; at += CHUNK_BYTES) {
      const bytes = new Uint8Array(await file.slice(at, at + CHUNK_BYTES).arrayBuffer())
      await ask('file', { endpoint, step: 'chunk', data: toBase64(bytes) })
    }
    return undefined
  } catch (error) {
    const problem = noticeOf(error)
    // After a cancel the next chunk finds nothing to belong to.
    return problem.code === 'FILE_OUT_OF_STEP' ? undefined : problem
  }
}
