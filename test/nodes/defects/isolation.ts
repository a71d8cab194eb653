import { connect } from 'node:net'
import { once } from 'node:events'
import { flowOf, Tab } from '../flow-builder.ts'
import { comesTrue, nextOf, open, type Defect } from './defect.ts'

/** Listeners, sessions and replies that reach into each other. */
export const isolation: Defect[] = [
  {
    name: 'deploying one listener drops the clients of another',
    core: 'dropped',
    hardened: 'kept',
    async see({ nodeRed, admin }) {
      const [one, two] = [new Tab('one'), new Tab('two')]
      one.tcpIn({ port: '9504' })
      const changed = two.tcpIn({ port: '9505' })
      await admin.deploy(flowOf(one, two))
      await using client = await open(nodeRed, 9504)
      changed.topic = 'changed'
      await admin.deploy(flowOf(one, two), 'nodes')
      return (await comesTrue(() => client.isClosed, 1_000)) ? 'dropped' : 'kept'
    },
  },
  {
    name: 'a deleted node goes on emitting what a half-open client sends',
    core: 'late',
    hardened: 'nothing',
    async see({ nodeRed, admin, debug }) {
      const tab = new Tab('one')
      const seen = tab.debug('seen', 'payload')
      const node = tab.tcpIn({ port: '9504', datatype: 'utf8' }, seen)
      await admin.deploy(flowOf(tab))
      const probe = await open(nodeRed, 9504)
      probe.reset()
      const socket = connect({ port: nodeRed.getMappedPort(9504), host: nodeRed.getHost(), allowHalfOpen: true })
      await once(socket, 'connect')
      socket.on('error', () => {})
      socket.resume()
      socket.write('early')
      await nextOf(debug, 'seen')
      await admin.deploy(
        flowOf(tab).filter(({ id }) => id !== node.id),
        'nodes',
      )
      socket.write('late')
      const result = await nextOf(debug, 'seen')
      socket.destroy()
      return result
    },
  },
  {
    name: 'a reply without _session reaches clients of other flows',
    core: 'reached',
    hardened: 'stayed',
    async see({ nodeRed, admin }) {
      const [one, two] = [new Tab('one'), new Tab('two')]
      one.tcpIn({ port: '9504' })
      one.text('send', 'for one', one.tcpOut({}))
      two.tcpIn({ port: '9505' })
      await admin.deploy(flowOf(one, two))
      await using own = await open(nodeRed, 9504)
      await using other = await open(nodeRed, 9505)
      await admin.inject('send')
      await own.expect('for one')
      return (await comesTrue(() => other.available > 0, 500)) ? 'reached' : 'stayed'
    },
  },
  {
    name: 'a reply to a WebSocket session goes to TCP clients',
    core: 'sent',
    hardened: 'the message belongs to a websocket session, not to a TCP one',
    async see({ nodeRed, admin, debug }) {
      const tab = new Tab('one')
      tab.tcpIn({ port: '9504' })
      tab.watch()
      const props = [
        { p: 'payload', v: 'misled', vt: 'str' },
        { p: '_session', v: '{"type":"websocket","id":"x"}', vt: 'json' },
      ]
      tab.inject('send', props, tab.tcpOut({}))
      await admin.deploy(flowOf(tab))
      await using client = await open(nodeRed, 9504)
      await admin.inject('send')
      const caught = await nextOf(debug, 'caught', 800)
      return client.available > 0 ? 'sent' : caught
    },
  },
  {
    name: 'a reply to a closed session is lost without an error',
    core: 'completed',
    hardened: 'caught',
    async see({ nodeRed, admin, debug }) {
      const tab = new Tab('one')
      const out = tab.tcpOut({})
      const delay = tab.add(
        'delay',
        { pauseType: 'delay', timeout: '400', timeoutUnits: 'milliseconds', rate: '1', nbRateUnits: '1', rateUnits: 'second' },
        out,
      )
      tab.tcpIn({ port: '9504', datatype: 'utf8' }, delay)
      tab.watch(out)
      await admin.deploy(flowOf(tab))
      const client = await open(nodeRed, 9504)
      await client.send('too late')
      client.reset()
      const { name } = await debug.next(({ name }) => name === 'caught' || name === 'completed')
      return name
    },
  },
  {
    name: 'undefined is sent as text',
    core: 'undefined',
    hardened: 'nothing',
    async see({ nodeRed, admin }) {
      const tab = new Tab('one')
      tab.tcpIn({ port: '9504' })
      tab.inject('send', [{ p: 'topic', vt: 'str' }], tab.tcpOut({}))
      await admin.deploy(flowOf(tab))
      await using client = await open(nodeRed, 9504)
      await admin.inject('send')
      return (await comesTrue(() => client.available >= 9, 700)) ? (await client.read(9)).toString() : 'nothing'
    },
  },
  {
    name: 'an object is sent as [object Object]',
    core: '[object Object]',
    hardened: 'a payload of type object cannot be sent over TCP: make it a string or a buffer, for example with a json node',
    async see({ nodeRed, admin, debug }) {
      const tab = new Tab('one')
      tab.tcpIn({ port: '9504' })
      tab.watch()
      tab.inject('send', [{ p: 'payload', v: '{"a":1}', vt: 'json' }], tab.tcpOut({}))
      await admin.deploy(flowOf(tab))
      await using client = await open(nodeRed, 9504)
      await admin.inject('send')
      const caught = await nextOf(debug, 'caught', 700)
      return client.available > 0 ? (await client.read(15)).toString() : caught
    },
  },
]
