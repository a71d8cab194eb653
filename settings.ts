// Node-RED's settings, from the validated environment. https://nodered.org/docs/user-guide/runtime/settings-file
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createLogin } from './src/login/login.ts'
import type { TcpDefaults } from './src/nodes/support/tcp-settings.ts'
import { FLOW_FILE } from './src/provisioning/provision.ts'
import type { Environment } from './src/runtime/environment.ts'
import { nodesFolder, pluginsFolder } from './src/runtime/installation.ts'
import { formatJson, type NodeRedLogMessage } from './src/runtime/log.ts'
import { reportedProblems } from './src/runtime/problems.ts'
import { provisioningOf } from './src/runtime/provisioning.ts'
import { takeEnvironment } from './src/runtime/taken.ts'

const HTTPS_REFRESH_HOURS = 12
const MS_PER_SECOND = 1000

const { environment, secrets } = takeEnvironment()
const secure = environment.TLS_CERT_FILE !== undefined

const login = createLogin({
  user: environment.NODE_RED_ADMIN_USER,
  password: secrets.adminPassword,
  dataDir: environment.DATA_DIR,
  adminRoot: environment.HTTP_ADMIN_ROOT,
  closeUserEndpoints: environment.HTTP_IN_LOGIN,
  openPaths: environment.HTTP_OPEN_PATHS,
  secureCookie: secure,
  trustedProxies: environment.TRUSTED_PROXIES,
})

const settings = {
  userDir: environment.DATA_DIR,
  // As a whole path: a bare name would be looked for in the current folder first.
  flowFile: join(environment.DATA_DIR, FLOW_FILE),
  flowFilePretty: true,
  credentialSecret: secrets.credentialSecret,
  ...tcpNodes(environment),

  uiHost: environment.EDITOR_BIND,
  uiPort: environment.EDITOR_PORT,
  httpAdminRoot: environment.HTTP_ADMIN_ROOT,
  httpNodeRoot: '/',
  ...(secure ? { https: () => readCertificate(environment), httpsRefreshInterval: HTTPS_REFRESH_HOURS } : {}),
  adminAuth: login.adminAuth,
  httpNodeMiddleware: login.markUserEndpoint,
  dashboard: { ioMiddleware: login.allowSocket },

  telemetry: { enabled: false, updateNotification: false },
  diagnostics: { enabled: true, ui: true },
  runtimeState: { enabled: false, ui: false },
  functionExternalModules: environment.FUNCTION_EXTERNAL_MODULES,
  externalModules: {
    autoInstall: false,
    palette: { allowInstall: environment.PALETTE_INSTALL, allowUpload: environment.PALETTE_INSTALL },
    modules: { allowInstall: environment.FUNCTION_EXTERNAL_MODULES },
  },
  editorTheme: {
    page: { title: 'Node-RED TCP' },
    header: { title: 'Node-RED TCP' },
    tours: false,
    projects: { enabled: false },
    palette: { catalogues: environment.PALETTE_INSTALL ? environment.PALETTE_CATALOGUES : [] },
  },

  contextStorage: {
    default: 'memory',
    memory: { module: 'memory' },
    file: { module: 'localfilesystem' },
  },
  logging: logging(environment),

  // Read by the plugins of this distribution.
  distribution: {
    login,
    environment,
    problems: reportedProblems(),
    flowFile: join(environment.DATA_DIR, FLOW_FILE),
    provisioning: () => provisioningOf(environment),
  },
}

/** Ours in place of Node-RED's own, or those. */
function tcpNodes(environment: Environment) {
  if (environment.TCP_NODES === 'core') return { nodesDir: [pluginsFolder] }
  const { TCP_BIND, TCP_PROXY_TRUSTED } = environment
  return {
    nodesDir: [pluginsFolder, nodesFolder],
    nodesExcludes: ['31-tcpin.js'],
    tcp: {
      // All addresses, IPv6 among them, is what a listener without an address of its own has anyway.
      ...(TCP_BIND === '0.0.0.0' ? {} : { bind: TCP_BIND }),
      ...(TCP_PROXY_TRUSTED === undefined ? {} : { proxyTrusted: TCP_PROXY_TRUSTED }),
      maxConnections: environment.TCP_MAX_CONNECTIONS,
      maxPerAddress: environment.TCP_MAX_PER_ADDRESS,
      // Else Node-RED's own socketTimeout counts.
      ...(environment.TCP_IDLE_TIMEOUT === 0 ? {} : { idleMs: environment.TCP_IDLE_TIMEOUT * MS_PER_SECOND }),
      writeBuffer: environment.TCP_WRITE_BUFFER,
      maxFrame: environment.TCP_MAX_FRAME,
      ...(environment.TCP_MEMORY === undefined ? {} : { memory: environment.TCP_MEMORY }),
    } satisfies TcpDefaults,
  }
}

function logging({ LOG_FORMAT, LOG_LEVEL }: Environment) {
  if (LOG_FORMAT === 'text') return { console: { level: LOG_LEVEL, metrics: false, audit: false } }
  const handler = () => (message: NodeRedLogMessage) => {
    process.stdout.write(`${formatJson(message)}\n`)
  }
  return { console: { level: 'off', metrics: false, audit: false }, json: { level: LOG_LEVEL, metrics: false, audit: false, handler } }
}

function readCertificate({ TLS_CERT_FILE, TLS_KEY_FILE }: Environment) {
  return { cert: readFileSync(TLS_CERT_FILE!), key: readFileSync(TLS_KEY_FILE!) }
}

/** What the plugins find in `RED.settings.distribution`. */
export type Distribution = (typeof settings)['distribution']

// Node-RED reads this file with require().
export { settings as 'module.exports' }
