import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { expect, test } from 'vitest'
import { takeTurn } from '../src/plugins/http-turns.ts'

test('whoever has sent something is served between two turns', async () => {
  await using server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1')
  const [served] = (await once(server, 'connection')) as [Socket]
  const order: string[] = []
  served.on('data', () => order.push('served'))
  await new Promise<void>((resolve) => {
    takeTurn(() => {
      client.write('x')
      order.push('first')
    })
    takeTurn(() => order.push('second'))
    takeTurn(() => {
      order.push('third')
      resolve()
    })
  })
  expect(order).toEqual(['first', 'served', 'second', 'third'])
  client.destroy()
  served.destroy()
})
