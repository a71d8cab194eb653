import type { Permissions } from '../../assistant/shared/protocol.ts'

/** What a user may do here, by Node-RED's rules: `*`, `read` (whatever ends in .read), or names. */
export function permissionsOf(granted: string | readonly string[] | undefined): Permissions {
  const list = typeof granted === 'string' ? [granted] : (granted ?? [])
  const may = (name: 'read' | 'write') =>
    list.some((permission) => permission === '*' || permission === `assistant.${name}` || (name === 'read' && permission === 'read'))
  return { read: may('read') || may('write'), write: may('write') }
}
