import { setTimeout as sleep } from 'node:timers/promises'
import type { TcpClient } from '../../../src/testing/tcp-client.ts'

const EVERY_MS = 20

/** Sends a numbered line every 20 ms to a port that echoes, whether answers come or not, and notes how long each took. */
export class SteadyEcho {
  private readonly client: TcpClient
  private readonly sentAt: number[] = []
  private readonly wrong: string[] = []
  private readonly talking: Promise<void>
  private rest = ''
  private received = 0
  private longest = 0
  private over = false

  constructor(client: TcpClient) {
    this.client = client
    client.socket.on('data', (chunk) => this.take(chunk.toString()))
    this.talking = this.talk()
  }

  /** How many lines have come back. */
  get echoed(): number {
    return this.received
  }

  /** Stops; tells how long the slowest echo took, in milliseconds. Throws unless every line came back once, in order. */
  async stop(): Promise<number> {
    this.over = true
    await this.talking
    for (let waited = 0; this.received < this.sentAt.length && waited < 5_000; waited += EVERY_MS) await sleep(EVERY_MS)
    if (this.wrong.length > 0) throw new Error(`out of order: ${this.wrong.slice(0, 5).join(', ')}`)
    if (this.received !== this.sentAt.length) throw new Error(`${this.received} of ${this.sentAt.length} lines came back`)
    return this.longest
  }

  private async talk(): Promise<void> {
    while (!this.over && !this.client.isClosed) {
      this.sentAt.push(performance.now())
      await this.client.send(`${this.sentAt.length - 1}\n`).catch((error: Error) => this.wrong.push(error.message))
      await sleep(EVERY_MS)
    }
  }

  private take(text: string): void {
    const lines = (this.rest + text).split('\n')
    this.rest = lines.pop()!
    for (const line of lines) {
      if (line !== String(this.received)) this.wrong.push(`${line} instead of ${this.received}`)
      this.longest = Math.max(this.longest, performance.now() - this.sentAt[this.received]!)
      this.received += 1
    }
  }
}
