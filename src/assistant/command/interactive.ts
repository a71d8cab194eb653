// What a typed line does.
import { writeFileSync } from 'node:fs'
import { exportLog } from './export.ts'
import type { Conversation } from './conversation.ts'
import { notice } from '../shared/notice.ts'
import { AssistantError } from '../engine/errors.ts'

const HELP = `  TEXT             send it, as the options say
  /hex 01 03 0A    send HEX
  /text TEXT       send text that begins with a slash
  /peers           who is connected
  /to PEER         send to this one only; /to alone: to all
  /close           disconnect, /close PEER one of them
  /fin, /reset     end our side, or reset the connection
  /save FILE       the log, as .txt, .csv, .hex, .pcapng or .json
  /quit            leave (also Ctrl-D)`

export function runLine(line: string, conversation: Conversation): void {
  const { endpoint, ending, options } = conversation
  const [, command, rest = ''] = /^\/(\w+)(?:\s+(.*))?$/s.exec(line) ?? []
  switch (command) {
    case undefined:
      return line === '' && options.draft.ending === '' ? undefined : conversation.send(line)
    case 'text':
      return conversation.sendDraft({ ...options.draft, mode: 'text', text: rest })
    case 'hex':
      return conversation.sendDraft({ ...options.draft, mode: 'hex', text: rest })
    case 'peers':
      for (const { id, rxBytes, txBytes } of endpoint.info().peers) ending.print(`  ${id}  ${rxBytes} bytes received, ${txBytes} sent`)
      return undefined
    case 'to':
      return conversation.choose(rest.trim())
    case 'close':
      return endpoint.disturb('kick', rest.trim() || undefined)
    case 'fin':
      return endpoint.disturb('half-close')
    case 'reset':
      return endpoint.disturb('reset')
    case 'save':
      return save(rest.trim(), conversation)
    case 'quit':
      return ending.end('asked')
    case 'help':
      return ending.print(HELP)
    default:
      return ending.print(`! there is no /${command}; /help shows what there is, /text sends what begins with a slash`)
  }
}

function save(path: string, { endpoint, ending }: Conversation): void {
  try {
    writeFileSync(path, exportLog(path, endpoint))
    ending.print(`  written to ${path}`)
  } catch (error) {
    throw new AssistantError(notice('BAD_SETTING', { setting: `/save ${path}`, reason: (error as Error).message }))
  }
}
