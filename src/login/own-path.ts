/** A path on this server, or undefined when a browser would make another server of it, as of `//host`, `/\host` or `/.//host`. */
export function ownPath(path: string): string | undefined {
  if (!path.startsWith('/') || !URL.canParse(path, 'http://local')) return undefined
  const { origin, pathname, search } = new URL(path, 'http://local')
  return origin === 'http://local' && !pathname.startsWith('//') ? `${pathname}${search}` : undefined
}
