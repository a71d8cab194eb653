import { DebugStream } from './debug-stream.ts'
import { waitUntil } from './wait.ts'

const DEPLOY_TIMEOUT_MS = 15_000

export type FlowNode = { id: string; type: string } & Record<string, unknown>
export type DeploymentType = 'full' | 'nodes' | 'flows' | 'reload'

/** Node-RED's admin API with a login. https://nodered.org/docs/api/admin/ */
export class AdminClient {
  readonly url: string
  readonly token: string
  private readonly statusUrl: string | undefined

  private constructor(options: { url: string; token: string; statusUrl: string | undefined }) {
    this.url = options.url
    this.token = options.token
    this.statusUrl = options.statusUrl
  }

  /** Logs in at the editor's address, such as `http://127.0.0.1:1880`. */
  static async login(url: string, credentials: { user: string; password: string; statusUrl?: string }): Promise<AdminClient> {
    const response = await fetch(`${url}/auth/token`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        client_id: 'node-red-admin',
        grant_type: 'password',
        scope: '*',
        username: credentials.user,
        password: credentials.password,
      }),
    })
    if (!response.ok) throw new Error(`login as ${credentials.user} at ${url} failed: ${response.status} ${await response.text()}`)
    const { access_token: token } = (await response.json()) as { access_token: string }
    return new AdminClient({ url, token, statusUrl: credentials.statusUrl })
  }

  /** Sends a request with the login. @throws when the answer is not a success */
  async request(path: string, init: RequestInit & { headers?: Record<string, string> } = {}): Promise<Response> {
    const response = await fetch(`${this.url}${path}`, { ...init, headers: { authorization: `Bearer ${this.token}`, ...init.headers } })
    if (!response.ok) throw new Error(`${init.method ?? 'GET'} ${path}: ${response.status} ${await response.text()}`)
    return response
  }

  /** All nodes of all flows as they are deployed. */
  async flows(): Promise<FlowNode[]> {
    return await ((await this.request('/flows')).json() as Promise<FlowNode[]>)
  }

  /** Deploys these nodes in place of all others, as the editor's Deploy button does; resolves when they run, where the status port is known. */
  async deploy(nodes: readonly FlowNode[], type: DeploymentType = 'full'): Promise<void> {
    await this.request('/flows', {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'node-red-deployment-type': type },
      body: JSON.stringify(nodes),
    })
    // Node-RED answers before it has started the flows.
    if (this.statusUrl)
      await waitUntil(() => flowsRun(this.statusUrl!), { within: DEPLOY_TIMEOUT_MS, what: 'the start of the deployed flows' })
  }

  /** Presses the button of an inject node, found by id or name; where names recur, by the label of its tab too. */
  async inject(idOrName: string, { flow }: { flow?: string } = {}): Promise<void> {
    const nodes = await this.flows()
    const tab = nodes.find(({ type, label }) => type === 'tab' && label === flow)?.id
    const found = nodes.filter(
      ({ id, type, name, z }) => type === 'inject' && (id === idOrName || name === idOrName) && (flow === undefined || z === tab),
    )
    if (found.length !== 1)
      throw new Error(`${found.length} inject nodes "${idOrName}"${flow ? ` on "${flow}"` : ''} in the deployed flows, expected 1`)
    await this.request(`/inject/${found[0]!.id}`, { method: 'POST' })
  }

  /** Opens the stream of debug messages, as the editor's debug sidebar shows them. */
  async debug(): Promise<DebugStream> {
    return await DebugStream.open(`${this.url.replace('http', 'ws')}/comms`, this.token)
  }
}

/** Whether Node-RED has started its flows, or will not; listeners may still be missing. */
async function flowsRun(statusUrl: string): Promise<boolean> {
  const { missing } = (await (await fetch(`${statusUrl}/readyz`)).json()) as { missing: { what: string; why: string }[] }
  return !missing.some(({ what, why }) => what === 'flows' && why.startsWith('not running'))
}
