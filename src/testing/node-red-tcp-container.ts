import { AbstractStartedContainer, GenericContainer, Wait, type StartedTestContainer } from 'testcontainers'
import { AdminClient } from './admin-client.ts'
import { TcpClient } from './tcp-client.ts'

const DEFAULT_USER = 'admin'
const EDITOR_PORT = 1880
const STATUS_PORT = 1881
const SCENARIO_PORTS = [9501, 9502, 9503]
const STARTUP_TIMEOUT_MS = 60_000

/**
 * The node-red-tcp image in a container, for tests of your own flows:
 *
 * ```ts
 * await using nodeRed = await new NodeRedTcpContainer().withFlow('line', nodes).withExposedPorts(9510).start()
 * await using device = await nodeRed.tcp(9510)
 * await device.send('hello')
 * await device.expect('hello')
 * ```
 *
 * `start()` resolves when the flows run and every TCP port that they declare is bound.
 */
export class NodeRedTcpContainer extends GenericContainer {
  private password = 'test password'

  constructor(image = 'node-red-tcp:latest') {
    super(image)
    this.withExposedPorts(EDITOR_PORT, STATUS_PORT, ...SCENARIO_PORTS)
    this.withExtraHosts([{ host: 'host.docker.internal', ipAddress: 'host-gateway' }])
    this.withWaitStrategy(Wait.forHttp('/readyz', STATUS_PORT).forStatusCode(200))
    // As docker-compose.yml has it: a dead peer that is written to is found after about 50 s.
    this.hostConfig.Sysctls = { 'net.ipv4.tcp_retries2': '7' }
    this.withStartupTimeout(STARTUP_TIMEOUT_MS)
  }

  /** Provisions a flow beside those of the image: the nodes of one or more tabs, as the editor exports them. */
  withFlow(name: string, nodes: readonly object[]): this {
    return this.withCopyContentToContainer([{ content: JSON.stringify(nodes), target: `/flows/${name}.json` }])
  }

  /** Sets the editor's password. */
  withAdminPassword(password: string): this {
    this.password = password
    return this
  }

  /** Keeps everything in /data on a named volume, or in a folder of the host. */
  withData(volumeOrFolder: string): this {
    return this.withBindMounts([{ source: volumeOrFolder, target: '/data' }])
  }

  /** As docker-compose.yml runs it: only /data and /tmp are writable, and no privileges can be gained. Cannot be combined with withFlow. */
  withHardening(): this {
    this.hostConfig.ReadonlyRootfs = true
    return this.withTmpFs({ '/tmp': 'size=64m' }).withDroppedCapabilities('ALL').withSecurityOpt('no-new-privileges:true')
  }

  /** Makes Docker ask this name server for names that it does not know. */
  withNameServer(address: string): this {
    this.hostConfig.Dns = [address]
    return this
  }

  /** Takes what the container answers as soon as it lives, even when its flows are not ready. */
  withoutReadiness(): this {
    return this.withWaitStrategy(Wait.forHttp('/healthz', STATUS_PORT).forStatusCode(200))
  }

  override async start(): Promise<StartedNodeRedTcpContainer> {
    this.withEnvironment({ NODE_RED_ADMIN_PASSWORD: this.password })
    return new StartedNodeRedTcpContainer(await super.start(), this.password)
  }
}

/** A running {@link NodeRedTcpContainer}. */
export class StartedNodeRedTcpContainer extends AbstractStartedContainer {
  private readonly password: string
  private loggedIn: Promise<AdminClient> | undefined

  constructor(container: StartedTestContainer, password: string) {
    super(container)
    this.password = password
  }

  /** Where the editor is reached from this host. */
  getEditorUrl(): string {
    return `http://${this.getHost()}:${this.getMappedPort(EDITOR_PORT)}`
  }

  /** Where health, metrics, listeners and sessions are reached from this host. */
  getStatusUrl(): string {
    return `http://${this.getHost()}:${this.getMappedPort(STATUS_PORT)}`
  }

  /** Connects to a port that a flow listens on, through the mapped port. */
  async tcp(port: number): Promise<TcpClient> {
    return await TcpClient.connect(this.getMappedPort(port), this.getHost())
  }

  /** The admin API, logged in: deploy, inject, and the stream of debug messages. */
  get admin(): Promise<AdminClient> {
    return (this.loggedIn ??= AdminClient.login(this.getEditorUrl(), {
      user: DEFAULT_USER,
      password: this.password,
      statusUrl: this.getStatusUrl(),
    }))
  }
}
