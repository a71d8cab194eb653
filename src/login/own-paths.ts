import { isBelow } from './request-target.ts'

// Under the admin root, with all that is below them: Node-RED's editor, its admin API (https://nodered.org/docs/api/admin/), its own
// nodes, and the plugins of this distribution.
const ADMIN_PATHS = [
  ...['auth/login', 'auth/revoke', 'auth/sign-in', 'auth/strategy', 'auth/token'],
  ...['comms', 'context', 'credentials', 'diagnostics', 'flow', 'flows', 'icons', 'library', 'locales', 'nodes', 'plugins', 'projects'],
  ...['resources', 'settings', 'theme', 'favicon.ico', 'red', 'types', 'vendor'],
  ...['debug', 'inject', 'udp-ports'],
  ...['assistant', 'ports', 'provisioning', 'tcp/sessions'],
]
const PAGE_METHODS = new Set(['GET', 'HEAD'])
const DASHBOARD_PATH = '/dashboard'

/**
 * Whether a request goes to what belongs to the editor, the sign-in, the dashboard or the assistant, however its path is written.
 * `dashboards` are the paths that flows give to theirs.
 */
export function isOwn(
  { method, readings }: { method: string; readings: readonly string[] },
  { adminRoot, dashboards = [] }: { adminRoot: string; dashboards?: readonly string[] },
): boolean {
  const root = adminRoot.toLowerCase()
  // The editor's page; a flow may have what is posted there.
  if (root === '/' && PAGE_METHODS.has(method) && readings.includes('/')) return true
  // An admin root of its own is ours as a whole.
  const admin = root === '/' ? ADMIN_PATHS.map((path) => `/${path}`) : [root.slice(0, -1)]
  const own = [...admin, DASHBOARD_PATH, ...dashboards.map((path) => path.toLowerCase().replace(/\/+$/, ''))]
  return readings.some((reading) => own.some((path) => path !== '' && isBelow(reading, path)))
}
