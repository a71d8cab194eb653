import { flowOf, Tab } from '../flow-builder.ts'
import { firstOf, metricOf, open, type Defect, type DefectContext } from './defect.ts'

const MIB = 1024 * 1024
const SMALL = 6 * MIB
const TIMES = 3
// Three times the bytes are three times the work where it is linear, nine times where it is quadratic.
const TOO_MUCH = 6
// Less than this tells nothing: what else the process does would decide.
const LEAST_SECONDS = 0.1

/** Processor time, in seconds, of receiving so many bytes as one message. */
async function costOf(context: DefectContext, bytes: number, ending: { end: boolean }): Promise<number> {
  await using client = await open(context.nodeRed, 9504)
  const before = await metricOf(context, 'process_cpu_seconds_total')
  await client.send(Buffer.alloc(bytes, 'x'))
  if (ending.end) client.end()
  else await client.send('\n')
  if ((await firstOf(context.debug, ['seen'], 60_000)) !== 'seen') throw new Error(`a message of ${bytes} bytes did not come`)
  return (await metricOf(context, 'process_cpu_seconds_total')) - before
}

async function isQuadratic(context: DefectContext, properties: Record<string, unknown>, ending: { end: boolean }): Promise<boolean> {
  const tab = new Tab('one')
  // Shows that a message has come, not the message.
  const short = tab.add('change', { rules: [{ t: 'set', p: 'payload', pt: 'msg', to: 'here', tot: 'str' }] }, tab.debug('seen', 'payload'))
  tab.tcpIn({ port: '9504', maxFrame: String(4 * TIMES * SMALL), ...properties }, short)
  await context.admin.deploy(flowOf(tab))
  // Compiles what is measured.
  await costOf(context, SMALL, ending)
  const small = await costOf(context, SMALL, ending)
  return (await costOf(context, TIMES * SMALL, ending)) > TOO_MUCH * Math.max(small, LEAST_SECONDS)
}

/** Work that grows faster than the bytes, seen by processor time. */
export const work: Defect[] = [
  {
    name: 'all that comes in single mode is copied with every chunk',
    core: true,
    hardened: false,
    see: (context) => isQuadratic(context, { datamode: 'single' }, { end: true }),
  },
  {
    name: 'a long line is searched from its start with every chunk',
    core: true,
    hardened: false,
    see: (context) => isQuadratic(context, { datatype: 'utf8', newline: '\\n' }, { end: false }),
  },
]
