// The order of things before Node-RED starts. Ends in Node-RED's own start, in this same process.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { provisionFlows, type ProvisioningReport } from '../provisioning/provision.ts'
import type { Action } from '../provisioning/merge.ts'
import { assertCredentialsOpen } from './credentials.ts'
import { flowVariables, type Environment } from './environment.ts'
import { settingsFile } from './installation.ts'
import { createLog, FATAL, formatJson, type Log } from './log.ts'
import { reportProblem } from './problems.ts'
import { provisioningOf } from './provisioning.ts'
import type { Secrets } from './secrets.ts'
import { takeEnvironment } from './taken.ts'

const ACTION_LINES: Record<Action, string | undefined> = {
  added: 'added',
  updated: 'updated to the new version',
  unchanged: undefined,
  kept: 'kept as you edited it',
  'stays deleted': 'stays deleted, as you deleted it',
  removed: 'removed, since its file is gone or SCENARIOS leaves it out',
  'left to the user': 'its file is gone or SCENARIOS leaves it out; the tab stays, as you edited it',
}

function prepare(): void {
  shareWithGroupRoot()
  const { environment, secrets, locked } = takeEnvironment()
  const log = createLog('distribution', { format: environment.LOG_FORMAT, level: environment.LOG_LEVEL })
  if (!locked) log.warn(`${environment.DATA_DIR} cannot be locked on this file system: see to it that no second node-red-tcp runs on it`)
  announceLogin(environment, secrets)
  // In the log alone: the status port tells everybody.
  if (secrets.weakness !== undefined)
    log.warn(`NODE_RED_ADMIN_PASSWORD ${secrets.weakness}: who can reach the editor may guess it. Use eight characters or more.`)
  const aside = assertCredentialsOpen(environment.DATA_DIR, secrets.credentialSecret, { reset: environment.NODE_RED_CREDENTIAL_RESET })
  if (aside) log.warn(`credentials were reset; the former file is ${aside}`)
  logProvisioning(log, provisionFlows(provisioningOf(environment)))
  warnUnpublishedPorts(log, environment)
  warnFormerProfile(log)
  Object.assign(process.env, flowVariables(environment))
  passOnCertificates(log, environment)
}

/** OpenShift and the like run an image as any user id, always in group 0: that group may read and write everything but the secrets. */
function shareWithGroupRoot(): void {
  if (process.getgid?.() === 0 && process.getuid?.() !== 0) process.umask(0o002)
}

function logProvisioning(log: Log, report: ProvisioningReport): void {
  for (const { name, action } of report.actions) {
    const line = ACTION_LINES[action]
    if (line) log.info(`flow ${name}: ${line}`)
  }
  for (const name of report.aside)
    log.info(`flow ${name}: left out, since there is another dashboard and Node-RED's dashboard allows one ui-base only`)
  for (const { path, reason } of report.broken) {
    log.error(`flow file ${path} was left out: ${reason}`)
    reportProblem({ severity: 'warning', what: path, why: `left out: ${reason}` })
  }
  if (report.unreadableFlow) {
    const { path, reason } = report.unreadableFlow
    log.error(`${path} cannot be read: ${reason}. No flow runs; mend the file, or put flows.previous.json in its place.`)
    reportProblem({ severity: 'error', what: path, why: `cannot be read: ${reason}` })
  }
}

/**
 * The root certificates of the build serve npm in the palette, too. This process itself has read NODE_EXTRA_CA_CERTS already: what flows
 * trust stays as it is.
 */
function passOnCertificates(log: Log, { EXTRA_CA_FILE }: Environment): void {
  if (EXTRA_CA_FILE === undefined || isReadable(process.env.NODE_EXTRA_CA_CERTS)) return
  try {
    // Compose mounts /dev/null where there is none.
    if (readFileSync(EXTRA_CA_FILE).length > 0) process.env.NODE_EXTRA_CA_CERTS = EXTRA_CA_FILE
  } catch (error) {
    log.warn(`EXTRA_CA_FILE=${EXTRA_CA_FILE} cannot be read (${(error as NodeJS.ErrnoException).code}): npm does without it`)
  }
}

// .env may name a file of the host, which is none in a container.
function isReadable(path: string | undefined): boolean {
  try {
    return path !== undefined && path !== '' && readFileSync(path).length > 0
  } catch {
    return false
  }
}

/** Whatever the log level: the password is shown only once. */
function announceLogin(environment: Environment, { generatedPassword }: Secrets): void {
  if (generatedPassword === undefined) return
  const log = createLog('distribution', { format: environment.LOG_FORMAT, level: 'info' })
  log.info(`login for the editor, shown this once: user ${environment.NODE_RED_ADMIN_USER}, password ${generatedPassword}`)
}

function warnUnpublishedPorts(log: Log, environment: Environment): void {
  const { first, last } = environment.TCP_PORTS
  for (const name of ['TCP_IN_SERVER_PORT', 'TCP_OUT_SERVER_PORT', 'TCP_RESPONSE_PORT'] as const) {
    const port = environment[name]
    if (port >= first && port <= last) continue
    log.warn(`${name}=${port} is outside TCP_PORTS=${first}-${last}: in a container, nobody outside reaches it`)
  }
}

/** What switched live ports on until they became a number: Compose says nothing about a profile that no service has. */
function warnFormerProfile(log: Log): void {
  const profiles = (process.env.COMPOSE_PROFILES ?? '').split(',')
  if (profiles.includes('live-ports'))
    log.warn('COMPOSE_PROFILES=live-ports switches nothing on any more: set LIVE_PORTS=1 in .env instead')
}

// The environment may be what is wrong, so that only its form can be asked for.
function refuse(message: string): never {
  const json = process.env.LOG_FORMAT === 'json'
  const line = json ? formatJson({ timestamp: Date.now(), level: FATAL, type: 'distribution', msg: message }) : message
  process.stderr.write(`${line}\n`)
  process.exit(1)
}

try {
  prepare()
} catch (error) {
  refuse(error instanceof Error ? error.message : String(error))
}

const require = createRequire(import.meta.url)
const red = require.resolve('node-red/red.js')
const args = process.argv.slice(2)
process.argv = [process.argv[0]!, red, '--settings', settingsFile, ...args]
require(red)
