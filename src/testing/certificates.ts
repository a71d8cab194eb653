import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

// Made in no time, unlike an RSA key.
const EC_KEY = ['ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1']

export type Certificate = { cert: string; key: string }

/** A certificate authority for one test, made by openssl. */
export function createAuthority(): { ca: string; issue: (name: string, options?: { from?: string; to?: string }) => Certificate } {
  const folder = mkdtempSync(join(tmpdir(), 'node-red-tcp-ca-'))
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'ignore' })
  openssl(
    'req',
    '-x509',
    '-newkey',
    ...EC_KEY,
    '-nodes',
    '-keyout',
    'ca.key',
    '-out',
    'ca.pem',
    '-subj',
    '/CN=test authority',
    '-days',
    '2',
  )
  writeFileSync(join(folder, 'index.txt'), '')
  writeFileSync(join(folder, 'serial'), '01\n')
  writeFileSync(
    join(folder, 'ca.cnf'),
    '[ca]\ndefault_ca=d\n[d]\ndatabase=index.txt\nserial=serial\nnew_certs_dir=.\ndefault_md=sha256\npolicy=p\ncopy_extensions=copy\nunique_subject=no\n[p]\ncommonName=supplied\n',
  )
  const read = (name: string) => readFileSync(join(folder, name), 'utf8')
  return {
    ca: read('ca.pem'),
    issue(name, { from = '200101000000Z', to = '400101000000Z' } = {}) {
      const subject = ['-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${name}`]
      openssl('req', '-newkey', ...EC_KEY, '-nodes', '-keyout', `${name}.key`, '-out', `${name}.csr`, ...subject)
      const dates = ['-startdate', from, '-enddate', to]
      openssl(
        'ca',
        '-batch',
        '-config',
        'ca.cnf',
        '-in',
        `${name}.csr`,
        '-out',
        `${name}.pem`,
        '-keyfile',
        'ca.key',
        '-cert',
        'ca.pem',
        '-notext',
        ...dates,
      )
      return { cert: read(`${name}.pem`), key: read(`${name}.key`) }
    },
  }
}
