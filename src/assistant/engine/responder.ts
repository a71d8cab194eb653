import { createMacroState } from '../shared/macros.ts'
import { compileRule, type CompiledRule } from '../shared/rules.ts'
import type { Rule } from '../shared/spec.ts'
import { composeDraft } from './compose.ts'
import type { Peer } from './peer.ts'
import { notice, type Notice } from '../shared/notice.ts'
import { AssistantError, noticeOfError } from './errors.ts'

// Replies with a delay that have not left yet.
const MAX_PENDING = 1_000

type Hooks = { note: (peer: string, note: Notice) => void; isHere: (peer: Peer) => boolean }

/** Answers by rules: the first that fits, for every chunk or datagram. */
export function createResponder({ note, isHere }: Hooks) {
  const macros = createMacroState()
  const pending = new Set<NodeJS.Timeout>()
  let rules: readonly Rule[] = []
  let compiled: readonly CompiledRule[] = []

  function answer({ rule }: CompiledRule, peer: Peer, captures: readonly string[]): void {
    const send = () => {
      try {
        if (isHere(peer)) peer.send(composeDraft(rule.reply, macros, captures))
      } catch (error) {
        note(peer.id, noticeOfError(error))
      }
    }
    if (!rule.delayMs) return send()
    if (pending.size >= MAX_PENDING) return note(peer.id, notice('SLOW_PEER', { peer: peer.id, bytes: pending.size, limit: MAX_PENDING }))
    const timer = setTimeout(() => {
      pending.delete(timer)
      send()
    }, rule.delayMs)
    pending.add(timer)
  }

  function stop(): void {
    for (const timer of pending) clearTimeout(timer)
    pending.clear()
  }

  return {
    get rules() {
      return rules
    },
    /** @throws AssistantError for the first rule that cannot be applied; the rules before stay then */
    set(next: readonly Rule[]): void {
      const all = next.map((rule, index) => {
        const result = compileRule(rule, index)
        if ('error' in result) throw new AssistantError(result.error)
        // An encoding that is not known shall be told of now, not with the first reply.
        composeDraft({ ...rule.reply, macros: false, text: '' }, macros)
        return result.compiled
      })
      stop()
      rules = next
      compiled = all.filter(({ rule }) => rule.enabled !== false)
    },
    connected(peer: Peer): void {
      for (const rule of compiled) if (rule.onConnect) answer(rule, peer, [])
    },
    received(peer: Peer, bytes: Uint8Array): void {
      for (const rule of compiled) {
        if (rule.onConnect) continue
        const captures = rule.match(bytes)
        if (captures !== undefined) return answer(rule, peer, captures)
      }
    },
    stop,
  }
}
