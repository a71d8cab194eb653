// What npm writes while it installs a module from the palette, read for the reason of a failure.

const MAX_KEPT_CHARS = 16 * 1024
const MAX_REASON_CHARS = 300
const MAX_INSTALLS = 10

const PROBLEMS = [
  {
    key: 'untrusted',
    pattern: /SELF_SIGNED_CERT|UNABLE_TO_GET_ISSUER_CERT|UNABLE_TO_VERIFY_LEAF|CERT_UNTRUSTED/,
    log: 'npm does not trust the certificate of the registry or of a proxy on the way; name its root certificate in EXTRA_CA_FILE.',
  },
  {
    key: 'unreachable',
    pattern: /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ERR_SOCKET_TIMEOUT/,
    log: 'npm does not reach the registry; npm_config_registry names another one, HTTPS_PROXY a proxy.',
  },
  { key: 'denied', pattern: /E401|E403|ENEEDAUTH/, log: 'the registry wants a login: put its token into .npmrc of the data folder.' },
  { key: 'missing', pattern: /E404|ETARGET/, log: 'the registry has no such module or version.' },
  { key: 'full', pattern: /ENOSPC|EDQUOT/, log: 'no space is left on the data folder.' },
] as const
const OTHER = { key: 'other', log: 'npm could not install the module.' } as const

export type InstallFailure = { problem: { key: string; log: string }; reason: string }

/** Reads the lines of Node-RED's event log, each with the id of the command that wrote it. */
export function createInstallReader(tell: (failure: InstallFailure) => void) {
  const written = new Map<string, string>()
  return {
    read(id: string, { data = '', type, end }: { data?: string; type?: string; end?: boolean }): void {
      const before = written.get(id)
      if (before === undefined) {
        if (!/npm-cli\.js install\b/.test(data)) return
        for (const oldest of written.keys()) if (written.size >= MAX_INSTALLS) written.delete(oldest)
        written.set(id, '')
      } else if (end) {
        written.delete(id)
        if (data !== 'rc=0') tell(failureOf(before))
      } else if (type === 'err') written.set(id, `${before}${data}`.slice(-MAX_KEPT_CHARS))
    },
  }
}

function failureOf(output: string): InstallFailure {
  const lines = output
    .split('\n')
    .filter((line) => /^npm (error|ERR!)/i.test(line))
    .map((line) => line.replace(/^npm (error|ERR!)\s*/i, '').trim())
    .filter((line) => line !== '' && !/^(A complete log|code |errno |syscall |at .*:\d+:\d+\)?$)/.test(line))
  // Shown as markup by the editor's notification.
  const reason = lines.slice(0, 2).join(' ').replace(/[<>&]/g, '').slice(0, MAX_REASON_CHARS)
  return { problem: PROBLEMS.find(({ pattern }) => pattern.test(output)) ?? OTHER, reason }
}
