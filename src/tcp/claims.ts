// What nodes have asked for (a listener or a connection) and how far it got, for status and diagnosis.
import { createChanges } from './changes.ts'
import type { DiallerOwner, DiallerState } from './dialler.ts'
import type { ListenerOwner, ListenerState } from './listener.ts'
import type { About } from './session.ts'

/** A port that a node wants to listen on; `state` is undefined while nothing is known yet. */
export type Claim = { about: About; port: number; state: ListenerState | undefined }

/** A connection that a node wants. A retry does not change the state: it stays `waiting`, with the reason. */
export type Call = { about: About; host: string; port: number; state: DiallerState }

/** Keeps what nodes have asked for. */
export function createClaims() {
  const claims = new Set<Claim>()
  const calls = new Set<Call>()
  const changes = createChanges()

  function note<T, Owner>(all: Set<T>, entry: T, owner: Owner): { owner: Owner; end: () => void } {
    all.add(entry)
    changes.tell()
    return {
      owner,
      end() {
        all.delete(entry)
        changes.tell()
      },
    }
  }

  return {
    /** Every node that wants to listen. */
    listening: (): Claim[] => [...claims],

    /** Every node that wants a connection. */
    calling: (): Call[] => [...calls],

    /** Calls back whenever a claim or a call is added, removed or changes state. Returns a function that stops it. */
    follow: changes.follow,

    /** Records what an owner asks for. Returns the owner to use in its place, and a function that removes the record. */
    noteClaim(owner: ListenerOwner, port: number): { owner: ListenerOwner; end: () => void } {
      const claim: Claim = { about: owner.about, port, state: undefined }
      return note(claims, claim, {
        ...owner,
        onState(state) {
          claim.state = state
          changes.tell()
          owner.onState(state)
        },
      })
    },

    /** The same for a connection. */
    noteCall(owner: DiallerOwner, { host, port }: { host: string; port: number }): { owner: DiallerOwner; end: () => void } {
      const call: Call = { about: owner.about, host, port, state: { kind: 'connecting' } }
      return note(calls, call, {
        ...owner,
        onState(state) {
          if (state.kind !== 'connecting' || call.state.kind !== 'waiting') call.state = state
          changes.tell()
          owner.onState(state)
        },
      })
    },
  }
}

export type Claims = ReturnType<typeof createClaims>
