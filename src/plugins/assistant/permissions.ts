import type { Permissions } from '../../assistant/shared/protocol.ts'

/** What a user may do here, by Node-RED's rules: `*`, `read` and `write` (all that end so), or names. */
export function permissionsOf(granted: string | readonly string[] | undefined): Permissions {
  const list = typeof granted === 'string' ? [granted] : (granted ?? [])
  const has = (area: string, name: 'read' | 'write') =>
    ['*', name, `*.${name}`, `${area}.${name}`].some((permission) => list.includes(permission))
  const write = has('assistant', 'write')
  return { read: write || has('assistant', 'read'), write, flows: has('flows', 'write') }
}
