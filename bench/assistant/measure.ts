// The network debug assistant: its page, a flood of messages, a long log, and its endpoints beside bare sockets.
import { existsSync } from 'node:fs'
import { say } from '../../src/cli/terminal.ts'
import { CHROMIUM } from '../../test/support/browser.ts'
import { COLLECTING_ENV } from '../memory.ts'
import type { PartOptions, PartReport } from '../part.ts'
import { freePorts, isReadyAt, launchOfNodeRed, startServer } from '../server.ts'
import { Visitor } from './browser.ts'
import { Control } from './control.ts'
import { measureFlood } from './flood.ts'
import { measureOverhead } from './overhead.ts'
import { measureLoads } from './page-load.ts'
import { formatAssistant, assistantGoalsMet, assistantToJson } from './report.ts'
import { measureScrolling } from './scrolling.ts'

/** Measures one distribution without flows, in the order in which somebody meets these things. */
export async function measureAssistant(options: PartOptions): Promise<PartReport | undefined> {
  if (!existsSync(CHROMIUM)) {
    say(`the assistant is not measured: there is no ${CHROMIUM}. scripts/test-tools.sh installs it on Debian, CHROMIUM names another`)
    return undefined
  }
  const [editor = 0, status = 0, floodPort = 0, scrollPort = 0, reply = 0, receive = 0, bareReply = 0, bareReceive = 0] = await freePorts(8)
  const launch = launchOfNodeRed('hardened', { editor, status })
  Object.assign(launch.env, COLLECTING_ENV)
  const server = await startServer(launch, { what: 'the distribution', flow: [], isReady: () => isReadyAt(status), ...options })
  let control: Control | undefined
  try {
    const url = `http://127.0.0.1:${editor}`
    control = await Control.open(url)
    const measured = { control, pid: server.pid, signal: options.signal }
    const { loads, flood, scrolling } = await measurePage(url, measured, { floodPort, scrollPort })
    const ports = { reply: { assistant: reply, bare: bareReply }, receive: { assistant: receive, bare: bareReceive } }
    const overhead = await measureOverhead({ control, pid: server.pid, ports }, options)
    const report = { loads, flood, scrolling, overhead }
    return { text: formatAssistant(report), json: assistantToJson(report), goalsMet: assistantGoalsMet(report) }
  } finally {
    control?.close()
    await server.stop()
  }
}

async function measurePage(
  url: string,
  measured: { control: Control; pid: number; signal: AbortSignal },
  { floodPort, scrollPort }: { floodPort: number; scrollPort: number },
) {
  await using visitor = await Visitor.signIn(url)
  const loads = await measureLoads(visitor, measured.signal)
  const flood = await measureFlood(visitor, { ...measured, port: floodPort })
  const scrolling = await measureScrolling(visitor, { ...measured, port: scrollPort })
  return { loads, flood, scrolling }
}
