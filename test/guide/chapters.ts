// The steps of docs/guide, in its order. Each waits for what its picture shows, and fails when that does not come.
import type { BrowserContext } from 'playwright-core'
import { arrive } from '../support/browser.ts'
import { Assistant } from './assistant.ts'
import { Editor } from './editor.ts'
import type { Pictures } from './pictures.ts'

export type Language = 'en' | 'zh'
export type Ports = { tcpInServer: number; tcpOutServer: number; tcpResponse: number; tcpInClient: number; tcpOutClient: number }
export type Distribution = { url: string; password: string; ports: Ports }
type Reader = { distribution: Distribution; editor: Editor; context: BrowserContext; pictures: Pictures }

const HOST = '127.0.0.1'
const CONNECTED = /^(connected|已连接)/
const NO_CONNECTION = /· 0 (connections|个连接)/
const ONE_CONNECTION = /· 1 (connection|个连接)/

/** Follows the guide from its first chapter to its last, in a browser of the reader's language. */
export async function followGuide(context: BrowserContext, distribution: Distribution, pictures: Pictures): Promise<void> {
  const editor = await Editor.open(context, distribution.url, distribution.password)
  const reader = { distribution, editor, context, pictures }
  for (const [title, follow] of Object.entries(CHAPTERS)) {
    try {
      await follow(reader)
    } catch (cause) {
      throw new Error(`docs/guide, ${title}, after ${pictures.taken.at(-1) ?? 'no picture'}: ${(cause as Error).message}`, { cause })
    }
  }
}

/** As the guide numbers them. */
const CHAPTERS: Record<string, (reader: Reader) => Promise<void>> = {
  '1 Overview': overview,
  '2.1 tcp in, server': tcpInServer,
  '2.2 tcp in, client': tcpInClient,
  '3.1 tcp out, server': tcpOutServer,
  '3.2 tcp out, client': tcpOutClient,
  '4 TCP response': tcpResponse,
  '5 The dashboard': dashboard,
}

async function overview({ distribution, editor, context, pictures }: Reader): Promise<void> {
  await editor.showTab('TCP in · server')
  await editor.expectStatus('listen on 9501', NO_CONNECTION)
  await pictures.take('editor', editor.page)
  const assistant = await Assistant.open(context, distribution.url)
  await pictures.take('assistant', assistant.page)
  await assistant.page.close()
}

async function tcpInServer(reader: Reader): Promise<void> {
  const { editor, distribution, pictures } = reader
  await showNode(reader, { tab: 'TCP in · server', node: 'listen on 9501', name: 'tcp-in-server' })
  const assistant = await Assistant.open(reader.context, distribution.url)
  await assistant.start({ kind: 'tcp-client', host: HOST, port: distribution.ports.tcpInServer })
  await editor.clearDebug()
  await assistant.send('temperature 21.5')
  await pictures.take('tcp-in-server-assistant', assistant.page)
  await editor.page.bringToFront()
  await editor.expectDebug('received as text', 'temperature 21.5')
  await editor.expectStatus('listen on 9501', ONE_CONNECTION)
  await pictures.take('tcp-in-server-result', editor.page, await editor.debugBox())
  await leave(assistant)
}

async function tcpInClient(reader: Reader): Promise<void> {
  const { editor, distribution, pictures } = reader
  await showNode(reader, { tab: 'TCP in · client', node: 'connect to 9601', name: 'tcp-in-client', host: HOST })
  const assistant = await Assistant.open(reader.context, distribution.url)
  await assistant.start({ kind: 'tcp-server', host: HOST, port: distribution.ports.tcpInClient })
  await assistant.expectPeers(1)
  await editor.clearDebug()
  await assistant.send('pressure 1013')
  await pictures.take('tcp-in-client-assistant', assistant.page)
  await editor.page.bringToFront()
  await editor.expectDebug('received as text', 'pressure 1013')
  await pictures.take('tcp-in-client-result', editor.page, await editor.debugBox())
  await leave(assistant)
}

async function tcpOutServer(reader: Reader): Promise<void> {
  const { editor, distribution, pictures } = reader
  await showNode(reader, { tab: 'TCP out · server', node: 'listen on 9502', name: 'tcp-out-server' })
  const assistant = await Assistant.open(reader.context, distribution.url)
  await assistant.start({ kind: 'tcp-client', host: HOST, port: distribution.ports.tcpOutServer })
  await editor.page.bringToFront()
  await editor.expectStatus('listen on 9502', ONE_CONNECTION)
  await editor.press('send text')
  await editor.press('send bytes 01 03 00 00 00 0A C5 CD')
  await pictures.take('tcp-out-server-result', editor.page, await editor.canvasBox())
  await assistant.page.bringToFront()
  await assistant.expect('rx', 'Hello from Node-RED')
  await assistant.expect('rx', '01 03 00 00 00 0A C5 CD')
  await pictures.take('tcp-out-server-assistant', assistant.page)
  await leave(assistant)
}

async function tcpOutClient(reader: Reader): Promise<void> {
  const { editor, distribution, pictures } = reader
  await showNode(reader, { tab: 'TCP out · client', node: 'connect to 9602', name: 'tcp-out-client', host: HOST })
  const assistant = await Assistant.open(reader.context, distribution.url)
  await assistant.start({ kind: 'tcp-server', host: HOST, port: distribution.ports.tcpOutClient })
  // The node that was left as it is finds the assistant too, with its next attempt.
  await assistant.expectPeers(2)
  await editor.page.bringToFront()
  await editor.expectStatus('connect to 9602', CONNECTED)
  await editor.press('send text')
  await pictures.take('tcp-out-client-result', editor.page, await editor.canvasBox())
  await assistant.page.bringToFront()
  await assistant.expect('rx', 'Hello from Node-RED')
  await pictures.take('tcp-out-client-assistant', assistant.page)
  await leave(assistant)
}

async function tcpResponse(reader: Reader): Promise<void> {
  const { editor, distribution, pictures } = reader
  await showNode(reader, { tab: 'TCP response', node: 'reply', name: 'tcp-response' })
  const assistant = await Assistant.open(reader.context, distribution.url)
  await assistant.start({ kind: 'tcp-client', host: HOST, port: distribution.ports.tcpResponse })
  await assistant.send('ping')
  await assistant.expect('rx', 'ping')
  await editor.page.bringToFront()
  await editor.expectStatus('listen on 9503', ONE_CONNECTION)
  await editor.press('send to all')
  await pictures.take('tcp-response-result', editor.page, await editor.canvasBox())
  await assistant.page.bringToFront()
  await assistant.expect('rx', 'To everyone')
  await pictures.take('tcp-response-assistant', assistant.page)
  await leave(assistant)
}

async function dashboard({ context, distribution, pictures }: Reader): Promise<void> {
  const assistant = await Assistant.open(context, distribution.url)
  await assistant.start({ kind: 'tcp-client', host: HOST, port: distribution.ports.tcpResponse })
  const page = await context.newPage()
  await page.setViewportSize({ width: 1280, height: 1210 })
  await arrive(
    page,
    () => page.goto(`${distribution.url}/dashboard`),
    () => page.getByRole('region', { name: 'TCP in · server' }).getByText('temperature 21.5').first().waitFor(),
  )
  await page.getByRole('region', { name: 'TCP response' }).getByText('To everyone').first().waitFor()
  await page.locator('.tcp-listeners').getByText('listen on 9503').waitFor()
  await page.locator('.nrdb-ui-chart canvas').nth(2).waitFor()
  const form = page.getByRole('form', { name: 'TCP response' })
  await form.getByRole('textbox').fill('good evening')
  await form.getByRole('button').click()
  await page
    .getByRole('status')
    .getByText(/Sent to 1 client|已发送给/)
    .waitFor()
  await page.getByRole('region', { name: 'TCP response' }).getByText('good evening').first().waitFor()
  await assistant.page.bringToFront()
  await assistant.expect('rx', 'good evening')
  await page.bringToFront()
  await pictures.take('dashboard', page)
  await page.close()
  await leave(assistant)
}

/** The flow and the dialog of its node. With a host, the dialog gets it, and the change is deployed. */
async function showNode({ editor, pictures }: Reader, shown: { tab: string; node: string; name: string; host?: string }): Promise<void> {
  await editor.showTab(shown.tab)
  await pictures.take(`${shown.name}-flow`, editor.page, await editor.canvasBox())
  await editor.openDialog(shown.node)
  if (shown.host !== undefined) await editor.page.locator('#node-input-host').fill(shown.host)
  await pictures.take(`${shown.name}-dialog`, editor.page, await editor.dialogBox())
  await editor.closeDialog()
  if (shown.host !== undefined) await editor.deploy()
}

async function leave(assistant: Assistant): Promise<void> {
  await assistant.stop()
  await assistant.page.close()
}
