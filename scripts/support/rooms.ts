// The rooms of the code, and what each may import. A new room is named here, and nowhere else.

/** `imports`: other rooms; its own files may always be imported. `browser`: it runs in the browser, so nothing of Node.js is in reach. */
export type Room = { path: RegExp; imports: readonly string[] | 'any'; browser?: true }

const folder = (path: string) => new RegExp(`^${path}/`)

/** The first room whose path fits is the one that a file is in. */
export const ROOMS: Readonly<Record<string, Room>> = {
  // What a bundle is made with is no part of it.
  'vite.config.ts': { path: /^src\/.*\/vite\.config\.ts$/, imports: [] },

  text: { path: folder('src/text'), imports: [], browser: true },
  storage: { path: folder('src/storage'), imports: [] },
  cli: { path: folder('src/cli'), imports: [] },
  'tcp/facts': { path: folder('src/tcp/facts'), imports: [], browser: true },
  tcp: { path: folder('src/tcp'), imports: ['tcp/facts', 'text'] },
  login: { path: folder('src/login'), imports: ['storage', 'tcp', 'text'] },

  'ports/shared': { path: folder('src/ports/shared'), imports: ['tcp/facts', 'text'], browser: true },
  'ports/command': { path: folder('src/ports/command'), imports: ['cli', 'ports', 'ports/docker', 'ports/shared', 'text'] },
  'ports/docker': { path: folder('src/ports/docker'), imports: ['ports', 'ports/shared', 'text'] },
  ports: { path: folder('src/ports'), imports: ['ports/shared', 'tcp', 'text'] },

  process: { path: folder('src/process'), imports: ['ports', 'ports/shared', 'tcp'] },
  'nodes/resources': { path: folder('src/nodes/resources'), imports: ['text'], browser: true },
  nodes: { path: folder('src/nodes'), imports: ['ports', 'ports/shared', 'process', 'tcp', 'text'] },

  'assistant/shared': { path: folder('src/assistant/shared'), imports: ['text'], browser: true },
  'assistant/page': { path: folder('src/assistant/page'), imports: ['assistant/shared', 'text'], browser: true },
  'assistant/engine': { path: folder('src/assistant/engine'), imports: ['assistant/shared', 'nodes', 'tcp', 'text'] },
  'assistant/scenario': { path: folder('src/assistant/scenario'), imports: ['assistant/engine', 'assistant/shared', 'tcp', 'text'] },
  'assistant/server': { path: folder('src/assistant/server'), imports: ['assistant/engine', 'assistant/scenario', 'assistant/shared'] },
  'assistant/command': {
    path: folder('src/assistant/command'),
    imports: ['assistant/engine', 'assistant/scenario', 'assistant/shared', 'cli', 'tcp', 'text'],
  },

  'provisioning/command': { path: folder('src/provisioning/command'), imports: ['cli', 'provisioning'] },
  provisioning: { path: folder('src/provisioning'), imports: ['storage'] },
  runtime: { path: folder('src/runtime'), imports: ['assistant/engine', 'login', 'ports', 'provisioning', 'storage', 'tcp'] },
  'settings.ts': { path: /^settings\.ts$/, imports: ['login', 'nodes', 'provisioning', 'runtime'] },

  'plugins/resources': { path: folder('src/plugins/resources'), imports: ['assistant/shared', 'ports/shared', 'text'], browser: true },
  plugins: {
    path: folder('src/plugins'),
    imports: [
      'assistant/engine',
      'assistant/server',
      'assistant/shared',
      'login',
      'ports',
      'ports/shared',
      'process',
      'provisioning',
      'runtime',
      'settings.ts',
      'tcp',
      'tcp/facts',
      'text',
    ],
  },

  testing: { path: folder('src/testing'), imports: ['text'] },
  scripts: { path: folder('scripts'), imports: 'any' },
  test: { path: folder('test'), imports: 'any' },
  bench: { path: folder('bench'), imports: 'any' },
}

/** The name of the room that a file is in, by its path from the root; undefined: it is in none. */
export function roomOf(path: string): string | undefined {
  return Object.keys(ROOMS).find((name) => ROOMS[name]!.path.test(path))
}
