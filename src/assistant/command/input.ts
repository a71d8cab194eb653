// What is sent: bytes from a pipe as they are, lines through the draft, lines that somebody types.
import { createInterface } from 'node:readline'
import { runLine } from './interactive.ts'
import { describe } from './texts.ts'
import type { Conversation } from './conversation.ts'
import { AssistantError } from '../engine/errors.ts'

export async function readInput(conversation: Conversation): Promise<void> {
  if (process.stdin.isTTY) return await readTyped(conversation)
  return conversation.options.drafted ? await readLines(conversation) : await readBytes(conversation)
}

async function readBytes({ sendBytes, ending }: Conversation): Promise<void> {
  void ending.done.then(() => process.stdin.destroy())
  for await (const chunk of untilDestroyed(process.stdin)) await sendBytes(chunk)
}

async function readLines({ send, ending }: Conversation): Promise<void> {
  const lines = createInterface({ input: process.stdin, crlfDelay: Infinity })
  void ending.done.then(() => process.stdin.destroy())
  let number = 0
  for await (const line of lines) {
    number += 1
    try {
      send(line)
    } catch (error) {
      if (error instanceof AssistantError) throw new Error(`line ${number} of the input: ${describe(error.notice)}`, { cause: error })
      throw error
    }
  }
}

async function readTyped(conversation: Conversation): Promise<void> {
  const { ending } = conversation
  const terminal = createInterface({ input: process.stdin, output: process.stdout, prompt: '> ' })
  ending.printBy((line) => {
    // The prompt makes room and comes back with what was typed so far.
    process.stdout.write(`\r\x1b[K${line}\n`)
    terminal.prompt(true)
  })
  terminal.on('line', (line) => {
    try {
      runLine(line, conversation)
    } catch (error) {
      if (!(error instanceof AssistantError)) throw error
      ending.print(`! ${describe(error.notice)}`)
    }
    terminal.prompt()
  })
  terminal.on('SIGINT', () => terminal.close())
  void ending.done.then(() => terminal.close())
  terminal.prompt()
  await new Promise((resolve) => terminal.once('close', resolve))
  process.stdout.write('\n')
  ending.end('asked')
}

async function* untilDestroyed(stream: NodeJS.ReadStream): AsyncIterable<Buffer> {
  try {
    for await (const chunk of stream) yield chunk as Buffer
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_STREAM_PREMATURE_CLOSE') throw error
  }
}
