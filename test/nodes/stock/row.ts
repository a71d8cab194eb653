import { flowOf, type Tab } from '../flow-builder.ts'
import { comesTrue, nextOf, type DefectContext } from '../defects/defect.ts'
import type { TcpClient } from '../../../src/testing/tcp-client.ts'
import type { TcpPeer } from '../../../src/testing/tcp-peer.ts'

export type RowContext = DefectContext

/** One behaviour that Node-RED's own nodes and ours share: what is done, and what is to be seen with either. */
export type Row = { name: string; see: (context: RowContext) => Promise<unknown>; outcome: unknown }

type Session = { id: number; localPort: number; remotePort: number; bytesIn: number }

export type Message = Record<string, unknown>

/** This machine, as the container sees it. */
export const HOST = 'host.docker.internal'

const END = 'end of the row'

/** Deploys a tab, with a button whose message tells that all before it has been shown. */
export async function deploy({ admin }: RowContext, tab: Tab): Promise<void> {
  tab.text(END, END, tab.debug(END))
  await admin.deploy(flowOf(tab))
}

/** All messages that debug nodes have shown, by their names: at least so many, and those that were not expected too. */
export async function shown({ admin, debug }: RowContext, atLeast: number): Promise<Record<string, Message[]>> {
  const messages: Record<string, Message[]> = {}
  const take = async () => {
    const { name = '', msg } = await debug.next(() => true, { within: 3_000 })
    if (name !== END) (messages[name] ??= []).push(parseMessage(msg))
    return name
  }
  for (let count = 0; count < atLeast; count += 1) await take()
  await admin.inject(END)
  while ((await take()) !== END);
  return messages
}

/** The next whole message that the debug node with this name shows. */
export async function nextMessage({ debug }: RowContext, name: string): Promise<Message> {
  return parseMessage(await nextOf(debug, name, 3_000))
}

/** The next connection to a peer, once Node-RED has it too. */
export async function accept(context: RowContext, peer: TcpPeer): Promise<TcpClient> {
  const connection = await peer.accept()
  if (!(await comesTrue(async () => (await sessionsAt(context, peer.port)).length > 0)))
    throw new Error('the connection did not get through')
  return connection
}

/** Sends over the newest connection at a port, a listener's or a peer's, each chunk once the one before has arrived. */
export async function sendChunks(
  context: RowContext,
  { connection, port, chunks }: { connection: TcpClient; port: number; chunks: string[] },
): Promise<void> {
  let sent = 0
  const arrived = async () => (await sessionsAt(context, port)).at(-1)?.bytesIn === sent
  for (const chunk of chunks) {
    if (sent > 0 && !(await comesTrue(arrived))) throw new Error(`${sent} bytes did not arrive`)
    await connection.send(chunk)
    sent += chunk.length
  }
}

async function sessionsAt({ nodeRed }: RowContext, port: number): Promise<Session[]> {
  const sessions = (await (await fetch(`${nodeRed.getStatusUrl()}/sessions`)).json()) as Session[]
  return sessions.filter(({ localPort, remotePort }) => localPort === port || remotePort === port).sort((a, b) => a.id - b.id)
}

function parseMessage(json: string): Message {
  return JSON.parse(json, (_key, value: Message | null) =>
    value?.type === 'Buffer' ? Buffer.from(value.data as number[]) : value,
  ) as Message
}
