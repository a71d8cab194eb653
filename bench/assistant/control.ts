import { once } from 'node:events'
import WebSocket from 'ws'
import type { Answer, Answers, EndpointInfo, Limits, ServerEvent } from '../../src/assistant/shared/protocol.ts'
import type { Asked, Verb } from '../../src/assistant/shared/requests.ts'
import { AdminClient } from '../../src/testing/admin-client.ts'
import { waitUntil } from '../../src/testing/wait.ts'
import { PASSWORD } from '../server.ts'

const HELLO_TIMEOUT_MS = 10_000

/** Opens endpoints and asks about them, without watching their logs: what is measured is what a page does. */
export class Control {
  private readonly socket: WebSocket
  private readonly infos = new Map<string, EndpointInfo>()
  private readonly waiting = new Map<number, (answer: Answer) => void>()
  private hello: Limits | undefined
  private count = 0

  private constructor(socket: WebSocket) {
    this.socket = socket
    socket.on('message', (data) => this.take(JSON.parse((data as Buffer).toString()) as Answer | ServerEvent))
  }

  static async open(url: string): Promise<Control> {
    const { token } = await AdminClient.login(url, { user: 'admin', password: PASSWORD })
    const socket = new WebSocket(`${url.replace('http', 'ws')}/assistant/socket`, { headers: { authorization: `Bearer ${token}` } })
    const control = new Control(socket)
    await once(socket, 'open')
    await waitUntil(() => control.hello !== undefined, { within: HELLO_TIMEOUT_MS, what: 'the hello of the assistant' })
    return control
  }

  get limits(): Limits {
    return this.hello!
  }

  async ask<V extends Verb>(verb: V, asked: Asked<V>): Promise<Answers[V]> {
    const id = (this.count += 1)
    const answer = await new Promise<Answer>((resolve) => {
      this.waiting.set(id, resolve)
      this.socket.send(JSON.stringify({ ...asked, id, do: verb }))
    })
    if (!answer.ok) throw new Error(`the assistant refused ${verb}: ${JSON.stringify(answer.error)}`)
    return answer.result as Answers[V]
  }

  /** A server of the assistant on this port, with an empty log. */
  async listen(port: number): Promise<string> {
    const { id } = await this.ask('open', { spec: { kind: 'tcp-server', host: '127.0.0.1', port } })
    await this.until(id, ({ state }) => state === 'open', 'listening')
    return id
  }

  /** Waits until what the assistant tells of an endpoint is so. */
  async until(endpoint: string, holds: (info: EndpointInfo) => boolean, what: string, within = HELLO_TIMEOUT_MS): Promise<EndpointInfo> {
    const isSo = () => {
      const info = this.infos.get(endpoint)
      return info !== undefined && holds(info)
    }
    await waitUntil(isSo, { within, what: `${endpoint}, ${what}` })
    return this.infos.get(endpoint)!
  }

  close(): void {
    this.socket.terminate()
  }

  private take(message: Answer | ServerEvent): void {
    if (!('on' in message)) {
      this.waiting.get(message.id)?.(message)
      this.waiting.delete(message.id)
    } else if (message.on === 'hello') this.hello = message.limits
    else if (message.on === 'endpoint') this.infos.set(message.info.id, message.info)
  }
}
