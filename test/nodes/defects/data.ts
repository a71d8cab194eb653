import { flowOf, Tab } from '../flow-builder.ts'
import { comesTrue, nextOf, open, type Defect, type DefectContext } from './defect.ts'

/** Deploys one tcp in with these properties, sends chunks to it one by one, and reads so many debug messages of `complete`. */
async function received(
  { nodeRed, admin, debug }: DefectContext,
  properties: Record<string, unknown>,
  input: { chunks: (string | Buffer)[]; end?: boolean; complete?: string; messages?: number },
): Promise<string[]> {
  const tab = new Tab('one')
  tab.tcpIn({ port: '9504', ...properties }, tab.debug('seen', input.complete ?? 'payload'))
  await admin.deploy(flowOf(tab))
  await using client = await open(nodeRed, 9504)
  for (const chunk of input.chunks) {
    await client.send(chunk)
    // So that they arrive as chunks of their own.
    await new Promise((resolve) => setTimeout(resolve, 60))
  }
  if (input.end) client.end()
  const seen: string[] = []
  for (let index = 0; index < (input.messages ?? 1); index += 1) seen.push(await nextOf(debug, 'seen', 800))
  return seen
}

/** Bytes that are cut, decoded or kept wrongly. */
export const data: Defect[] = [
  {
    name: 'a UTF-8 character that is split between chunks is damaged',
    core: ['na\ufffd', '\ufffdve'],
    hardened: ['na', 'ïve'],
    see: (context) => {
      const bytes = Buffer.from('naïve')
      return received(context, { datatype: 'utf8' }, { chunks: [bytes.subarray(0, 3), bytes.subarray(3)], messages: 2 })
    },
  },
  {
    name: 'Base64 in single mode is made of each chunk',
    core: ['YWJjZA==ZWZnaA=='],
    hardened: ['YWJjZGVmZ2g='],
    see: (context) => received(context, { datatype: 'base64', datamode: 'single' }, { chunks: ['abcd', 'efgh'], end: true }),
  },
  {
    name: 'a delimiter is ignored where payloads are buffers',
    core: ['6f6e650d0a74776f0d0a', 'nothing'],
    hardened: ['6f6e65', '74776f'],
    see: (context) => received(context, { framing: 'delimiter', newline: '0x0D0A' }, { chunks: ['one\r\ntwo\r\n'], messages: 2 }),
  },
  {
    name: 'a delimiter that the dialog hides keeps Base64 back',
    core: ['nothing'],
    hardened: ['bm93'],
    see: (context) => received(context, { datatype: 'base64', newline: '\\n' }, { chunks: ['now'] }),
  },
  {
    name: 'what is left at the end comes without ip and port',
    core: [false],
    hardened: [true],
    see: async (context) =>
      (await received(context, { datatype: 'utf8', newline: '\\n' }, { chunks: ['tail'], end: true, complete: 'true' })).map(
        (message) => typeof (JSON.parse(message) as { ip: unknown }).ip === 'string',
      ),
  },
  {
    name: 'msg.ip of IPv4 peers starts with ::ffff:',
    core: [true],
    hardened: [false],
    see: async (context) => (await received(context, {}, { chunks: ['x'], complete: 'ip' })).map((ip) => ip.startsWith('::ffff:')),
  },
  {
    name: 'a line without an end is kept without a bound',
    core: 'kept',
    hardened: 'closed',
    async see({ nodeRed, admin }) {
      const tab = new Tab('one')
      tab.tcpIn({ port: '9504', datatype: 'utf8', newline: '\\n', maxFrame: '100000' })
      await admin.deploy(flowOf(tab))
      await using client = await open(nodeRed, 9504)
      await client.send('x'.repeat(200_000))
      return (await comesTrue(() => client.isClosed, 1_000)) ? 'closed' : 'kept'
    },
  },
]
