import { build } from '../../scripts/build.ts'
import { baseImage, provideBaseImage } from '../../scripts/support/base-image.ts'
import { EmbeddedNodeRedTcp } from '../../src/testing/embedded-node-red-tcp.ts'
import { buildImage, engineAnswers, RUN_NAME, TEST_IMAGE, TEST_LABEL } from '../support/engine.ts'
import { NodeRedTcpContainer } from '../../src/testing/node-red-tcp-container.ts'
import type { Distribution, Language, Ports } from './chapters.ts'

export const LANGUAGES: readonly Language[] = ['en', 'zh']
export const LOCALES: Record<Language, string> = { en: 'en-US', zh: 'zh-CN' }
export const WINDOW = { width: 1400, height: 800 }

const PASSWORD = 'the guide follows itself'
// Those of a distribution nobody has set up otherwise, as the guide names them.
const PORTS: Ports = { tcpInServer: 9501, tcpOutServer: 9502, tcpResponse: 9503, tcpInClient: 9601, tcpOutClient: 9602 }

/** Builds what the guide runs on: the image where a Docker engine answers, else the distribution itself. */
export async function buildDistribution(): Promise<'container' | 'process'> {
  if (!(await engineAnswers())) {
    await build()
    return 'process'
  }
  // testcontainers' own cleaner is an image of its own, which cannot be pulled everywhere.
  process.env.TESTCONTAINERS_RYUK_DISABLED = 'true'
  await provideBaseImage(baseImage)
  await buildImage(TEST_IMAGE)
  return 'container'
}

/** Starts a distribution that nobody has touched yet. In a container the ports are always those of the guide; the host's are others. */
export async function startDistribution(
  runs: 'container' | 'process',
  { image = TEST_IMAGE, ports = PORTS }: { image?: string; ports?: Ports } = {},
): Promise<Distribution & AsyncDisposable> {
  const builder = runs === 'container' ? new NodeRedTcpContainer(image).withLabels({ [TEST_LABEL]: RUN_NAME }) : new EmbeddedNodeRedTcp()
  const used = runs === 'container' ? PORTS : ports
  const nodeRed = await builder
    .withAdminPassword(PASSWORD)
    .withEnvironment(runs === 'container' ? {} : variablesOf(used))
    .start()
  return {
    url: nodeRed.getEditorUrl(),
    password: PASSWORD,
    ports: used,
    [Symbol.asyncDispose]: async () => await nodeRed[Symbol.asyncDispose](),
  }
}

function variablesOf(ports: Ports): Record<string, string> {
  return {
    TCP_IN_SERVER_PORT: String(ports.tcpInServer),
    TCP_OUT_SERVER_PORT: String(ports.tcpOutServer),
    TCP_RESPONSE_PORT: String(ports.tcpResponse),
    TCP_IN_CLIENT_PORT: String(ports.tcpInClient),
    TCP_OUT_CLIENT_PORT: String(ports.tcpOutClient),
  }
}
