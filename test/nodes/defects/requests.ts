import { setTimeout as pause } from 'node:timers/promises'
import { flowOf, Tab } from '../flow-builder.ts'
import { TcpPeer } from '../../../src/testing/tcp-peer.ts'
import { nextOf, type Defect } from './defect.ts'

const HOST = 'host.docker.internal'

/** tcp request: replies that are mixed up, cut off or lost. */
export const requests: Defect[] = [
  {
    name: 'two requests on their way both get the second one’s properties',
    core: ['second', 'nothing'],
    hardened: ['first', 'second'],
    async see({ admin, debug }) {
      await using peer = await TcpPeer.listen()
      const tab = new Tab('one')
      const request = tab.tcpRequest({ server: HOST, port: String(peer.port), out: 'char', splitc: '\\n' }, tab.debug('seen', 'topic'))
      const props = (topic: string) => [
        { p: 'payload', v: 'ask\n', vt: 'str' },
        { p: 'topic', v: topic, vt: 'str' },
      ]
      tab.inject('ask first', props('first'), request)
      tab.inject('ask second', props('second'), request)
      await admin.deploy(flowOf(tab))
      await admin.inject('ask first')
      const first = await peer.accept()
      await first.expect('ask\n')
      await admin.inject('ask second')
      await pause(150)
      await first.send('answer\n')
      const topics = [await nextOf(debug, 'seen')]
      const second = await peer.accept({ within: 1_000 }).catch(() => undefined)
      await second?.send('answer\n')
      return [...topics, await nextOf(debug, 'seen', 800)]
    },
  },
  {
    name: 'a reply longer than 64 KiB is filled with zeros',
    core: 65_536,
    hardened: 200_000,
    async see({ admin, debug }) {
      await using peer = await TcpPeer.listen()
      const tab = new Tab('one')
      const length = tab.add(
        'change',
        { rules: [{ t: 'set', p: 'payload', pt: 'msg', to: '$length($replace(payload, "\\u0000", ""))', tot: 'jsonata' }] },
        tab.debug('seen', 'payload'),
      )
      const request = tab.tcpRequest({ server: HOST, port: String(peer.port), out: 'time', splitc: '500', ret: 'string' }, length)
      tab.text('ask', 'ask', request)
      await admin.deploy(flowOf(tab))
      await admin.inject('ask')
      const connection = await peer.accept()
      await connection.send('x'.repeat(200_000))
      return Number(await nextOf(debug, 'seen', 5_000))
    },
  },
  {
    name: 'what came before an early end is lost',
    core: 'nothing',
    hardened: '{"payload":"half","partial":true}',
    async see({ admin, debug }) {
      await using peer = await TcpPeer.listen()
      const tab = new Tab('one')
      const request = tab.tcpRequest(
        { server: HOST, port: String(peer.port), out: 'char', splitc: '\\n', ret: 'string' },
        tab.debug('seen'),
      )
      tab.text('ask', 'ask', request)
      await admin.deploy(flowOf(tab))
      await admin.inject('ask')
      const connection = await peer.accept()
      await connection.send('half')
      connection.end()
      const seen = await nextOf(debug, 'seen')
      if (seen === 'nothing') return seen
      const { payload, partial } = JSON.parse(seen) as Record<string, unknown>
      return JSON.stringify({ payload, partial })
    },
  },
  {
    name: 'of five requests to nobody, one gets an error',
    core: 1,
    hardened: 5,
    async see({ admin, debug }) {
      const tab = new Tab('one')
      const request = tab.tcpRequest({ server: HOST, port: '1', out: 'time', splitc: '100' })
      tab.watch()
      const split = tab.add(
        'split',
        { splt: ',', spltType: 'str', arraySplt: 1, arraySpltType: 'len', stream: false, addname: '', property: 'payload' },
        request,
      )
      tab.text('ask', 'a,b,c,d,e', split)
      await admin.deploy(flowOf(tab))
      await admin.inject('ask')
      let errors = 0
      while ((await nextOf(debug, 'caught', 1_200)) !== 'nothing') errors += 1
      return errors
    },
  },
]
