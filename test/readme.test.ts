import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { createCheckout } from './support/checkout.ts'
import { RUN_NAME } from './support/engine.ts'
import { hasDocker } from './support/runtimes.ts'
import { waitUntil } from '../src/testing/wait.ts'

// These run on the ports that README names, so they run one after the other.
const run = promisify(execFile)
const home = dirname(import.meta.dirname)
const TIMEOUT_MS = 300_000

type Step = { command: string; output: string | undefined }

/** The commands of a README's fences that are marked `test=KIND`, each with the output that the next line promises. */
function stepsOf(file: string, kind: 'docker' | 'embedded'): Step[] {
  const text = readFileSync(join(home, file), 'utf8')
  const fences = [...text.matchAll(new RegExp(`^\`\`\`sh test=${kind}\\n(.*?)^\`\`\`$`, 'gms'))].map(([, body = '']) => body)
  const lines = fences.join('').trim().split('\n')
  return lines.flatMap((command, index) => {
    if (command.startsWith('# → ')) return []
    const next = lines[index + 1]
    return [{ command, output: next?.startsWith('# → ') ? next.slice('# → '.length) : undefined }]
  })
}

async function follow(steps: Step[], cwd: string): Promise<void> {
  const env = { ...process.env, COMPOSE_PROJECT_NAME: `${RUN_NAME}-readme`, IMAGE: `${RUN_NAME}-readme` }
  for (const { command, output } of steps) {
    const { stdout } = await run('sh', ['-c', command], { cwd, env })
    if (output !== undefined) expect(stdout.trim(), command).toBe(output)
  }
}

describe('README', () => {
  test('both languages have the same commands', () => {
    for (const kind of ['docker', 'embedded'] as const) {
      expect(stepsOf('README.md', kind).length).toBeGreaterThan(2)
      expect(stepsOf('README.zh-CN.md', kind)).toEqual(stepsOf('README.md', kind))
    }
  })

  test.skipIf(!hasDocker())('its Docker quick start works on a clean clone', { timeout: TIMEOUT_MS }, async () => {
    await using checkout = await createCheckout()
    try {
      await follow(stepsOf('README.md', 'docker'), checkout.folder)
    } finally {
      const env = { ...process.env, COMPOSE_PROJECT_NAME: `${RUN_NAME}-readme` }
      await run('docker', ['compose', 'down', '--volumes'], { cwd: checkout.folder, env })
      await run('docker', ['image', 'rm', '--force', `${RUN_NAME}-readme`, `${RUN_NAME}-readme-relay`])
    }
  })

  test('its quick start without Docker works on a clone', { timeout: TIMEOUT_MS }, async () => {
    await using checkout = await createCheckout()
    // As npm ci has left them: that it is run on a clean clone is seen in ready.test.ts, and takes a minute here.
    await run('cp', ['-al', join(home, 'node_modules'), checkout.folder])
    // The system's own Node.js, as a reader has it.
    const PATH = process.env
      .PATH!.split(':')
      .filter((folder) => !folder.includes('node_modules'))
      .join(':')
    const nodeRed = spawn('npm', ['start'], {
      cwd: checkout.folder,
      env: { PATH, HOME: process.env.HOME },
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let log = ''
    for (const stream of [nodeRed.stdout, nodeRed.stderr]) stream.on('data', (chunk: Buffer) => (log += chunk.toString()))
    try {
      await waitUntil(async () => (await fetch('http://127.0.0.1:1881/readyz')).ok, {
        within: TIMEOUT_MS - 60_000,
        what: 'npm start',
        stopOn: () => nodeRed.exitCode !== null,
      }).catch((error: Error) => {
        throw new Error(`${error.message}\n${log}`)
      })
      await follow(stepsOf('README.md', 'embedded'), checkout.folder)
    } finally {
      process.kill(-nodeRed.pid!, 'SIGTERM')
      await once(nodeRed, 'close')
    }
  })
})
