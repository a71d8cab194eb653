// The parts of a form with files. multer, which Node-RED has for them, takes any number, and makes a stream and more of each: of some sixty
// bytes become thousands.
import type { IncomingMessage } from 'node:http'

const MAX_PARTS = 1000
// RFC 2046 allows no others, and no more of them.
const BOUNDARY = /;\s*boundary=("?)([\w'()+,./:=?-]{1,70})\1\s*(?:;|$)/i

/** Counts the parts of a body, chunk by chunk; gives what is wrong with it, if so. Undefined where a body has no parts. */
export function createPartCounter({ headers }: IncomingMessage): ((chunk: Buffer) => string | undefined) | undefined {
  const type = headers['content-type'] ?? ''
  if (!/^\s*multipart\//i.test(type)) return undefined
  const [, , boundary] = BOUNDARY.exec(type) ?? []
  // Where there are two, the next reader might go by the other.
  if (boundary === undefined || type.toLowerCase().split('boundary').length > 2)
    return () => 'the boundary in its Content-Type cannot be read; send one, such as boundary=abc'
  const mark = Buffer.from(`--${boundary}`, 'latin1')
  let parts = 0
  let end: Buffer = Buffer.alloc(0)
  return (chunk) => {
    const bytes = Buffer.concat([end, chunk])
    let from = 0
    for (let at = bytes.indexOf(mark); at >= 0; at = bytes.indexOf(mark, from)) {
      parts += 1
      from = at + mark.length
      if (parts > MAX_PARTS + 1) return `its form has more than ${MAX_PARTS} parts; send several forms`
    }
    end = bytes.subarray(Math.max(from, bytes.length - mark.length + 1))
    return undefined
  }
}
