import { DebugStream } from './debug-stream.ts'

export type FlowNode = { id: string; type: string } & Record<string, unknown>
export type DeploymentType = 'full' | 'nodes' | 'flows' | 'reload'

/** Node-RED's admin API with a login. https://nodered.org/docs/api/admin/ */
export class AdminClient {
  readonly url: string
  readonly token: string

  private constructor(url: string, token: string) {
    this.url = url
    this.token = token
  }

  /** Logs in at the editor's address, such as `http://127.0.0.1:1880`. */
  static async login(url: string, credentials: { user: string; password: string }): Promise<AdminClient> {
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
    return new AdminClient(url, token)
  }

  /** A request with the login; throws when the answer is not a success. */
  async request(path: string, init: RequestInit & { headers?: Record<string, string> } = {}): Promise<Response> {
    const response = await fetch(`${this.url}${path}`, { ...init, headers: { authorization: `Bearer ${this.token}`, ...init.headers } })
    if (!response.ok) throw new Error(`${init.method ?? 'GET'} ${path}: ${response.status} ${await response.text()}`)
    return response
  }

  /** All nodes of all flows as they are deployed. */
  async flows(): Promise<FlowNode[]> {
    return (await this.request('/flows')).json() as Promise<FlowNode[]>
  }

  /** Deploys these nodes in place of all others, as the editor's Deploy button does. */
  async deploy(nodes: readonly FlowNode[], type: DeploymentType = 'full'): Promise<void> {
    await this.request('/flows', {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'node-red-deployment-type': type },
      body: JSON.stringify(nodes),
    })
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
    return DebugStream.open(`${this.url.replace('http', 'ws')}/comms`, this.token)
  }
}
