import { expect, test } from 'vitest'
import { openEnvelope, readContent } from '../../src/assistant/server/requests.ts'
import type { Verb } from '../../src/assistant/shared/requests.ts'

const draft = { mode: 'text', text: 'x', encoding: 'utf8', escapes: false, ending: '', macros: false }

test.each<[Verb, object, RegExp]>([
  ['send', { endpoint: 'e1', draft: { ...draft, mode: 'loud' } }, /draft\.mode/],
  ['send', { endpoint: 'e1', draft, data: 'AA==' }, /data|draft/],
  ['file', { endpoint: 'e1', step: 'begin', name: 'a.bin' }, /size/],
  ['view', { endpoint: 'e1', view: 'framing' }, /framing/],
  ['scenario', { text: 1 }, /text/],
  ['rename', { endpoint: 'e1', name: 'a', colour: 'red' }, /colour/],
])('a request to %s that is wrong says where: %j', (verb, content, where) => {
  expect(() => readContent(verb, content)).toThrow(where)
})

test('a request is read, and nothing is added to it', () => {
  const content = { endpoint: 'e1', draft }
  expect(readContent('send', content)).toEqual(content)
})

test('what is no request has no verb', () => {
  expect(openEnvelope('{"id":3,"do":"explode","x":1}')).toEqual({ id: 3, verb: undefined, content: { x: 1 } })
  expect(openEnvelope('{"id":-1,"do":"toString"}')).toMatchObject({ id: 0, verb: undefined })
  expect(openEnvelope('null')).toEqual({ id: 0, verb: undefined, content: {} })
  expect(() => openEnvelope('{')).toThrow('BAD_REQUEST')
})
