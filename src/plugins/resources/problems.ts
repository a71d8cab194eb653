import type { Problem } from '../../ports/shared/diagnosis.ts'
import { copyable, element, say, type Elements } from './editor.ts'

const REASONS = new Set([
  'ERR_SOCKET_BAD_PORT',
  'EADDRINUSE',
  'EACCES',
  'EADDRNOTAVAIL',
  'ECONNREFUSED',
  'ECONNRESET',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
])

/** Problems that may name a holder. */
const NAMING = new Set(['HOST_PORT_TAKEN', 'LISTEN_FAILED'])
const OWN_PORTS = new Set(['status', 'editor'])

/** A problem in words, with what mends it: commands as they stand, the rest in words too. */
export function showProblem(problem: Problem): Elements {
  const advice = adviceOf(problem)
  return element('div', problem.isNote ? 'tcp-ports-note' : 'tcp-ports-problem').append(
    element('div', 'tcp-ports-problem-text', problemText(problem)),
    advice === undefined ? undefined : element('div', '', say(`advice.${advice}`, problem.params)),
    ...commandsOf(problem).map(copyable),
  )
}

/** A problem in words. */
export function problemText({ code, params }: Problem): string {
  const key = code === 'CERTIFICATE' ? `${code}_${params.state}` : params.holder && NAMING.has(code) ? `${code}_BY` : code
  return say(`problem.${key}`, { ...params, reason: reasonText(params), ...(params.holder ? { holder: holderText(params.holder) } : {}) })
}

/** What of this distribution has the port, in the editor's language; anything else has a name. */
function holderText(holder: string | number): string {
  return OWN_PORTS.has(String(holder)) ? say(`holder.${holder}`) : String(holder)
}

/** Why, in the editor's language where the system's error is a known one. */
function reasonText({ reason = '', errno = '', host, port }: Problem['params']): string {
  const text = String(reason)
  return REASONS.has(String(errno)) ? say(`reason.${errno}`) : (text.split(`${host}:${port}: `).at(-1) ?? text)
}

/** Commands and lines of .env that mend a problem. */
function commandsOf({ code, params, fix }: Problem): string[] {
  if (fix.startsWith('npm run ')) return [fix]
  if (code === 'LOOPBACK_ONLY') return ['TCP_BIND=0.0.0.0', 'docker compose up --wait']
  return params.compose ? [String(params.compose)] : []
}

function adviceOf({ code, params, fix }: Problem): string | undefined {
  if (code === 'CERTIFICATE') return params.role === 'editor' ? 'certificateFiles' : 'certificateNode'
  if (code === 'LISTEN_FAILED' && params.errno === 'ERR_NODE_START') return 'mendNode'
  if (code === 'LISTEN_FAILED') return params.errno !== 'EADDRINUSE' ? 'changeNode' : fix.includes('delete') ? 'otherPort' : 'newPort'
  if (code === 'LOOPBACK_INSIDE') return params.node === '' ? 'listenEverywhere' : 'clearBind'
  if (code === 'NO_ANSWER') return params.compose ? 'otherSide' : 'otherSideAgain'
  return code === 'LOOPBACK_ONLY' && !fix.startsWith('npm run ') ? 'envLine' : undefined
}
