/** Where a request goes: the path as it was sent, which is what those behind the gate compare, and as a file server would read it. */
export type Target = { pathname: string; searchParams: URLSearchParams; readings: readonly string[] }

/** Undefined when the target cannot be read: bytes that are not UTF-8, a fragment, an invalid address. */
export function readTarget(url = '/'): Target | undefined {
  const [pathname = '', search = ''] = url.split('?', 2)
  // A fragment is never sent; where it is, one would cut it off and another not.
  if (pathname.includes('#')) return undefined
  // The absolute form, for proxies, and `*`: nothing is known by such a name, but it goes through to Express.
  if (!pathname.startsWith('/') && pathname !== '*' && !URL.canParse(`${pathname.includes('://') ? '' : 'http://'}${pathname}`))
    return undefined
  const resolved = resolve(pathname)
  if (resolved === undefined) return undefined
  const raw = pathname.toLowerCase()
  return { pathname, searchParams: new URLSearchParams(search), readings: raw === resolved ? [raw] : [raw, resolved] }
}

/** Whether one of these paths is the given one or below it. */
export function isBelow(path: string, parent: string): boolean {
  return path === parent || path.startsWith(parent.endsWith('/') ? parent : `${parent}/`)
}

/** Decoded, without empty and dotted parts, in lower case. */
function resolve(pathname: string): string | undefined {
  let decoded: string
  try {
    decoded = decodeURIComponent(pathname)
  } catch {
    return undefined
  }
  const parts: string[] = []
  for (const part of decoded.toLowerCase().split(/[/\\]/)) {
    if (part === '..') parts.pop()
    else if (part !== '' && part !== '.') parts.push(part)
  }
  return `/${parts.join('/')}`
}
