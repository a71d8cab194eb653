import type { Message } from './row.ts'

/** One connection of a tcp request: `messages` come at once, before it is made; the peer is `asked`, and answers. */
export type Exchange = {
  name: string
  node: Message
  messages: Message[]
  asked: string
  answers: string[]
  replies: Message[]
  /** Whether host and port are in the messages, and in the replies. */
  addressed?: boolean
  end: 'open' | 'closed'
}

export const one = [{ payload: 'ask', topic: 'a', note: { kept: [1, true] } }]
const three = ['f', 'o', 'r'].map((payload) => ({ payload, topic: `of ${payload}` }))
const eleven = [...'abcdefghijk'].map((payload) => ({ payload }))
const bytes = (text: string) => Buffer.from(text)
const zero = { out: 'char', splitc: '0' }
const seven = { out: 'count', splitc: '7' }
export const sit = { out: 'sit' }
const parts = { ...sit, ret: 'string', newline: '<A>\\n' }

/** Every way in which a reply ends, asked once and several times. */
export const exchanges: Exchange[] = [
  {
    name: 'a reply after a time, with all else of the message',
    node: {},
    messages: one,
    asked: 'ask',
    answers: ['answer'],
    replies: [{ ...one[0], payload: bytes('answer') }],
    end: 'closed',
  },
  {
    name: 'a reply with all that comes in a time, as text',
    node: { splitc: '400', ret: 'string' },
    messages: one,
    asked: 'ask',
    answers: ['one ', 'two'],
    replies: [{ ...one[0], payload: 'one two' }],
    end: 'closed',
  },
  {
    name: 'a reply up to a character',
    node: zero,
    messages: one,
    asked: 'ask',
    answers: ['one', '0two0'],
    replies: [{ ...one[0], payload: bytes('one0') }],
    end: 'closed',
  },
  {
    name: 'a reply up to a line feed, as text',
    node: { out: 'char', splitc: '\\n', ret: 'string' },
    messages: one,
    asked: 'ask',
    answers: ['one\ntwo'],
    replies: [{ ...one[0], payload: 'one\n' }],
    end: 'closed',
  },
  {
    name: 'a reply of so many bytes',
    node: seven,
    messages: one,
    asked: 'ask',
    answers: ['ans', 'wer to all'],
    replies: [{ ...one[0], payload: bytes('answer ') }],
    end: 'closed',
  },
  {
    name: 'a connection that stays',
    node: sit,
    messages: one,
    asked: 'ask',
    answers: ['answer', 'and more'],
    replies: [
      { ...one[0], payload: bytes('answer') },
      { ...one[0], payload: bytes('and more') },
    ],
    end: 'open',
  },
  {
    name: 'host and port of the message',
    node: {},
    messages: one,
    asked: 'ask',
    answers: ['answer'],
    replies: [{ ...one[0], payload: bytes('answer') }],
    addressed: true,
    end: 'closed',
  },
  { name: 'no answer wanted', node: { out: 'immed' }, messages: one, asked: 'ask', answers: [], replies: [], end: 'closed' },
  {
    name: 'three at once, the last of them gets the reply',
    node: {},
    messages: three,
    asked: 'for',
    answers: ['answer'],
    replies: [{ payload: bytes('answer'), topic: 'of r' }],
    end: 'closed',
  },
  {
    name: 'three at once, up to a character',
    node: zero,
    messages: three,
    asked: 'for',
    answers: ['for0you0'],
    replies: [{ payload: bytes('for0'), topic: 'of r' }],
    end: 'closed',
  },
  {
    name: 'three at once, so many bytes',
    node: seven,
    messages: three,
    asked: 'for',
    answers: ['for you and me'],
    replies: [{ payload: bytes('for you'), topic: 'of r' }],
    end: 'closed',
  },
  {
    name: 'three at once, over a connection that stays',
    node: sit,
    messages: three,
    asked: 'for',
    answers: ['for you'],
    replies: [{ payload: bytes('for you'), topic: 'of r' }],
    end: 'open',
  },
  {
    name: 'three at once, text that is not split',
    node: { ...parts, newline: '' },
    messages: three,
    asked: 'for',
    answers: ['one<A>\ntwo'],
    replies: [{ payload: 'one<A>\ntwo', topic: 'of r' }],
    end: 'open',
  },
  {
    name: 'three at once, text that is split',
    node: parts,
    messages: three,
    asked: 'for',
    answers: ['one<A>\ntwo<', 'A>\nthree'],
    replies: ['one', 'two'].map((payload) => ({ payload, topic: 'of r' })),
    end: 'open',
  },
  {
    name: 'three at once, text that is split and keeps its delimiter',
    node: { ...parts, trim: true },
    messages: three,
    asked: 'for',
    answers: ['one<A>\ntwo'],
    replies: [{ payload: 'one<A>\n', topic: 'of r' }],
    end: 'open',
  },
  {
    name: 'three at once, with host and port',
    node: {},
    messages: three,
    asked: 'for',
    answers: ['answer'],
    replies: [{ payload: bytes('answer'), topic: 'of r' }],
    addressed: true,
    end: 'closed',
  },
  {
    name: 'more at once than tcpMsgQueueSize: the oldest gives way',
    node: sit,
    messages: eleven,
    asked: 'bcdefghijk',
    answers: ['answer'],
    replies: [{ payload: bytes('answer') }],
    end: 'open',
  },
]
