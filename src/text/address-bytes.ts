/** The bytes of an address, without its zone: 4 of an IPv4 address, 16 of an IPv6 one. Undefined: it is neither. Runs in a browser too. */
export function addressBytes(text: string): Uint8Array | undefined {
  const plain = text.replace(/%.*$/, '')
  return plain.includes(':') ? bytesOfIPv6(plain) : bytesOfIPv4(plain)
}

/** The same; an IPv4 address that is written as IPv6, `::ffff:10.0.0.5`, gives its 4 bytes. */
export function plainAddressBytes(text: string): Uint8Array | undefined {
  const bytes = addressBytes(text)
  const isMapped = bytes?.length === 16 && bytes.subarray(0, 12).every((byte, at) => byte === (at < 10 ? 0 : 0xff))
  return isMapped ? bytes.subarray(12) : bytes
}

function bytesOfIPv4(text: string): Uint8Array | undefined {
  const bytes = /^\d{1,3}(\.\d{1,3}){3}$/.test(text) ? text.split('.').map(Number) : []
  return bytes.length === 4 && bytes.every((byte) => byte <= 0xff) ? Uint8Array.from(bytes) : undefined
}

function bytesOfIPv6(text: string): Uint8Array | undefined {
  const [, front, dotted] = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text) ?? []
  const last = dotted === undefined ? undefined : bytesOfIPv4(dotted)
  if (dotted !== undefined && last === undefined) return undefined
  const whole = last === undefined ? text : `${front}${pair(last[0]!, last[1]!)}:${pair(last[2]!, last[3]!)}`
  const [head = '', tail, ...rest] = whole.split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail === undefined || tail === '' ? [] : tail.split(':')
  const gap = 8 - left.length - right.length
  if (rest.length > 0 || gap < 0 || (tail === undefined && gap > 0)) return undefined
  const groups = [...left, ...Array.from({ length: gap }, () => '0'), ...right]
  if (!groups.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return undefined
  return Uint8Array.from(groups.flatMap((group) => [parseInt(group, 16) >> 8, parseInt(group, 16) & 0xff]))
}

function pair(high: number, low: number): string {
  return (high * 256 + low).toString(16)
}
