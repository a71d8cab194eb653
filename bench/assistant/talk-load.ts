// Clients that send a message and wait for its reply, of the same length, before they send the next: `node talk-load.ts JOB`.
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { openMany } from '../clients.ts'
import { answerLoad } from '../run-load.ts'

/** `messages`: of each connection. `bytes`: the length of a message, from and to. */
export type TalkJob = { port: number; connections: number; messages: number; bytes: [number, number] }

if (import.meta.main)
  answerLoad(async ({ port, connections, ...job }: TalkJob) => {
    const sockets = await openMany(port, connections)
    await Promise.all(sockets.map((socket) => talk(socket, job)))
    return {}
  })

async function talk(socket: Socket, { messages, bytes: [shortest, longest] }: Omit<TalkJob, 'port' | 'connections'>): Promise<void> {
  for (let number = 0; number < messages; number += 1) {
    const length = shortest + (number % (longest - shortest + 1))
    socket.write(`${number} `.padEnd(length, 'value '))
    let missing = length
    while (missing > 0) missing -= ((await once(socket, 'data')) as [Buffer])[0].length
  }
  socket.end()
  await once(socket, 'close')
}
