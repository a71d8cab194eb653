// Makes sure that the base image is there: local, else pulled, else built from Debian packages and the
// Node.js and npm in node_modules, for machines that reach a package mirror but no image registry.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import { hasCommand, output, run, succeeds } from '../../src/cli/command.ts'
import { say } from '../../src/cli/terminal.ts'

/** The image that is built upon: BASE_IMAGE, else Docker's own of Node.js 24. */
export const baseImage = process.env.BASE_IMAGE || 'node:24-bookworm-slim'
const DEBIAN_SUITE = 'bookworm'
const PULL_TIMEOUT_MS = 300_000

const require = createRequire(import.meta.url)

/** Makes sure that `image` exists on the local engine and tells where it came from. */
export async function provideBaseImage(image: string): Promise<'local' | 'pulled' | 'built'> {
  if (await succeeds('docker', ['image', 'inspect', image])) return 'local'
  say(`pulling ${image}`)
  if (await succeeds('docker', ['pull', '--quiet', image], { timeout: PULL_TIMEOUT_MS })) return 'pulled'
  say(`${image} cannot be pulled; building it from Debian ${DEBIAN_SUITE} and Node.js ${nodePackage().version}`)
  await buildFromPackages(image)
  return 'built'
}

function nodePackage(): { directory: string; version: string } {
  const name = `node-linux-${process.arch}`
  try {
    const manifest = require.resolve(`${name}/package.json`)
    return { directory: dirname(manifest), version: (require(manifest) as { version: string }).version }
  } catch (cause) {
    throw new Error(`no Node.js package for Linux on ${process.arch}: ${name} is not in node_modules; run npm ci`, { cause })
  }
}

async function buildFromPackages(image: string): Promise<void> {
  const asRoot = process.getuid?.() === 0 ? [] : ['sudo']
  await installMmdebstrap(asRoot)
  const node = nodePackage()
  const npm = dirname(require.resolve('npm/package.json', { paths: [require.resolve('node-red')] }))
  const mirror = await debianMirror()
  const bootstrap = spawn(
    [...asRoot, 'mmdebstrap'][0]!,
    [
      ...[...asRoot, 'mmdebstrap'].slice(1),
      '--quiet',
      '--variant=minbase',
      '--include=ca-certificates',
      '--dpkgopt=path-exclude=/usr/share/man/*',
      '--dpkgopt=path-exclude=/usr/share/doc/*',
      '--dpkgopt=path-include=/usr/share/doc/*/copyright',
      '--dpkgopt=path-exclude=/usr/share/locale/*',
      `--customize-hook=install -D ${node.directory}/bin/node "$1/usr/local/bin/node"`,
      `--customize-hook=mkdir -p "$1/usr/local/lib/node_modules" && cp -rL --no-preserve=ownership ${npm} "$1/usr/local/lib/node_modules/npm"`,
      '--customize-hook=ln -s ../lib/node_modules/npm/bin/npm-cli.js "$1/usr/local/bin/npm"',
      '--customize-hook=ln -s ../lib/node_modules/npm/bin/npx-cli.js "$1/usr/local/bin/npx"',
      '--customize-hook=chroot "$1" useradd --create-home --uid 1000 --user-group --shell /bin/bash node',
      DEBIAN_SUITE,
      '-',
      `deb ${mirror} ${DEBIAN_SUITE} main`,
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  const load = spawn(
    'docker',
    [
      'import',
      '--change',
      'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      '--change',
      `ENV NODE_VERSION=${node.version}`,
      '--change',
      'CMD ["node"]',
      '-',
      image,
    ],
    { stdio: ['pipe', 'ignore', 'inherit'] },
  )
  bootstrap.stdout.pipe(load.stdin)
  const [[bootstrapCode], [loadCode]] = (await Promise.all([once(bootstrap, 'close'), once(load, 'close')])) as [number[], number[]]
  if (bootstrapCode !== 0) throw new Error(`mmdebstrap failed with exit code ${bootstrapCode}; its messages are above`)
  if (loadCode !== 0) throw new Error(`docker import failed with exit code ${loadCode}; its messages are above`)
}

async function installMmdebstrap(asRoot: string[]): Promise<void> {
  if (await hasCommand('mmdebstrap')) return
  const install = [...asRoot, 'apt-get', 'install', '-y', '-qq', '--no-install-recommends', 'mmdebstrap']
  if (process.env.CI !== 'true') {
    throw new Error(`building the base image needs mmdebstrap; install it with: ${install.join(' ')}`)
  }
  await run([...asRoot, 'apt-get'][0]!, [...[...asRoot, 'apt-get'].slice(1), 'update', '-qq'])
  await run(install[0]!, install.slice(1))
}

/** The Debian mirror of this machine's own apt sources. */
async function debianMirror(): Promise<string> {
  const sites = await output('apt-get', ['indextargets', '--format', '$(SITE)', 'Created-By: Packages', 'Component: main'])
  const mirror = sites.split('\n').find((site) => /\/debian\/?$/.test(site))
  if (!mirror) throw new Error('no Debian mirror among the apt sources of this machine')
  return mirror
}
