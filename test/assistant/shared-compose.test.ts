import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { composeBytes, emptyDraft, type Composing } from '../../src/assistant/shared/compose.ts'
import { expandMacros, MACRO_EXAMPLES } from '../../src/assistant/shared/macros.ts'
import { compileRule } from '../../src/assistant/shared/rules.ts'
import type { Draft, Rule, RuleMatch } from '../../src/assistant/shared/spec.ts'
import { encodeText } from '../../src/tcp/encoding.ts'

const STATE = { counter: 300, now: () => new Date(2026, 1, 3, 4, 5, 6, 7), random: () => 0.5 }

function compose(draft: Partial<Draft>, composing: Composing = {}): string | object {
  const composed = composeBytes({ ...emptyDraft(), ...draft }, { macros: { ...STATE }, ...composing })
  return 'error' in composed ? composed.error : Buffer.from(composed.bytes).toString('latin1')
}

describe('macros', () => {
  test.each([
    ['{{counter}}/{{counter:5}}/{{counter:2}}', '300/00300/00'],
    ['{{counter:hex:4}} {{ counter:hex:2 }}', '012C 2C'],
    ['{{random:1-100}} {{random:hex:3}} {{random}}', '51 808 50'],
    ['{{time:YYYY-MM-DD HH:mm:ss.SSS}}', '2026-02-03 04:05:06.007'],
    ['{{time:s}} {{time:ms}}', `${STATE.now().getTime() / 1000 - 0.007} ${STATE.now().getTime()}`],
    ['{single} }} {{', '{single} }} {{'],
  ])('%j is expanded', (text, result) => {
    expect(expandMacros(text, STATE)).toEqual({ text: result })
  })

  test.each(['{{}}', '{{nothing}}', '{{counter:x}}', '{{counter:99}}', '{{random:9-1}}', '{{time:now}}', '{{random:hex:9999}}'])(
    '%j is a mistake',
    (macro) => {
      expect(expandMacros(`ab${macro}`, STATE)).toEqual({ error: { at: 2, text: macro } })
    },
  )

  test.each(MACRO_EXAMPLES)('the example %s is one', (example) => {
    expect(expandMacros(example, STATE)).toHaveProperty('text')
  })
})

describe('what is sent for a draft', () => {
  test.each<[Partial<Draft>, string | object]>([
    [{ text: 'héllo', ending: '\r\n' }, 'hÃ©llo\r\n'],
    [{ text: 'a\\n' }, 'a\\n'],
    [{ text: 'a\\n\\xFF', escapes: true }, 'a\n\xff'],
    [{ mode: 'hex', text: '01 03' }, '\x01\x03'],
    [{ mode: 'hex', text: '01 {{counter:hex:4}}', macros: true }, '\x01\x01\x2c'],
    [{ text: '{{counter}}' }, '{{counter}}'],
    [{ mode: 'hex', text: '0103 0000 000A', checksum: { name: 'crc16-modbus', order: 'little' } }, '\x01\x03\0\0\0\n\xc5\xcd'],
    [{ text: '123456789', checksum: { name: 'xor8', order: 'big' }, ending: '\n' }, '1234567891\n'],
    [
      { mode: 'hex', text: '01 0' + 'z' },
      { code: 'BAD_HEX', params: { at: 4, text: 'z' } },
    ],
    [
      { text: '{{counter}} \\q', macros: true, escapes: true },
      { code: 'BAD_ESCAPE', params: { at: 12, text: '\\q' } },
    ],
    [
      { text: 'x{{nope}}', macros: true },
      { code: 'BAD_MACRO', params: { at: 1, text: '{{nope}}' } },
    ],
    [
      { text: 'x', encoding: 'gbk' },
      { code: 'BAD_ENCODING', params: { encoding: 'gbk' } },
    ],
  ])('%j', (draft, result) => {
    expect(compose(draft)).toEqual(result)
  })

  test('a draft with macros counts on', () => {
    const macros = { ...STATE, counter: 1 }
    const send = (text: string, on = true) => compose({ text, macros: on }, { macros })
    expect([send('{{counter}}'), send('-', false), send('{{nope}}'), send('{{counter}}')]).toMatchObject(['1', '-', {}, '2'])
  })

  test('its text and ending are in its encoding, escaped bytes are not', () => {
    const encode = (text: string) => encodeText(text, 'utf-16le')
    expect(compose({ text: 'a\\xFFb', escapes: true, ending: '\n', encoding: 'utf-16le' }, { encode })).toBe('a\0\xffb\0\n\0')
    expect(compose({ text: '中文', encoding: 'gbk' }, { encode: (text) => encodeText(text, 'gbk') })).toBe('\xd6\xd0\xce\xc4')
  })
})

describe('automatic replies', () => {
  function answer(when: RuleMatch, reply: Partial<Draft>, received: string): string | object | undefined {
    const rule: Rule = { when, reply: { ...emptyDraft(), ...reply } }
    const result = compileRule(rule)
    if ('error' in result) return result.error
    const captures = result.compiled.match(Buffer.from(received, 'latin1'))
    return captures && compose(rule.reply, { captures })
  }

  test.each<[RuleMatch, Partial<Draft>, string, string | undefined]>([
    [{ by: 'contains', pattern: 'ping' }, { text: 'pong' }, 'a ping b', 'pong'],
    [{ by: 'contains', pattern: 'ping' }, { text: 'pong' }, 'PING', undefined],
    [{ by: 'equals', pattern: 'ID?' }, { text: 'scale', ending: '\r\n' }, 'ID?\r\n', 'scale\r\n'],
    [{ by: 'equals', pattern: 'ID?' }, { text: 'scale' }, 'ID??', undefined],
    [{ by: 'regex', pattern: '^SET (\\w+)=(\\d+)' }, { text: 'OK $1 $2 $& $$1' }, 'SET gain=42;', 'OK gain 42 SET gain=42 $1'],
    [{ by: 'regex', pattern: '/^set/i' }, { text: 'OK' }, 'SET', 'OK'],
    [{ by: 'hex', pattern: '01 ?? 03' }, { mode: 'hex', text: 'FF $&' }, '\0\x01\xee\x03', '\xff\x01\xee\x03'],
    [{ by: 'regex', pattern: '^\\x01(.)' }, { mode: 'hex', text: '02 $1' }, '\x01\xfe', '\x02\xfe'],
  ])('%j %j', (when, reply, received, result) => {
    expect(answer(when, reply, received)).toBe(result)
  })

  test('what a peer has sent is never read as an escape, a macro or a capture', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'\\xn41{}$&counter') }), (text) => {
        const reply = { text: '<$1>\\t{{counter}}', escapes: true, macros: true }
        expect(answer({ by: 'regex', pattern: '^(.*)$' }, reply, text)).toBe(`<${text}>\t300`)
      }),
    )
  })

  test.each<[RuleMatch, Partial<Draft>, string]>([
    [{ by: 'regex', pattern: '(' }, {}, 'BAD_RULE'],
    [{ by: 'hex', pattern: '0' }, {}, 'BAD_RULE'],
    [{ by: 'contains', pattern: '' }, {}, 'BAD_RULE'],
    [{ by: 'contains', pattern: 'a' }, { mode: 'hex', text: 'zz' }, 'BAD_HEX'],
    [{ by: 'connect' }, { text: '\\q', escapes: true }, 'BAD_ESCAPE'],
  ])('%j %j is refused: %s', (when, reply, code) => {
    expect(answer(when, reply, '')).toMatchObject({ code })
  })
})
