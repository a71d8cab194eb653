import { computed, watch } from 'vue'
import { chosen, current } from './session.ts'
import { send } from './settings.ts'

/** A client has one peer; of the others' one is chosen, or all. */
export const hasChoice = computed(() => current.value !== undefined && current.value.spec.kind !== 'tcp-client')
export const chosenPeer = computed(() => (hasChoice.value && current.value?.peers.some(({ id }) => id === send.peer) ? send.peer : ''))
/** An address that has gone is no "all": nothing goes to others by accident. */
export const peerGone = computed(
  () => hasChoice.value && send.peer !== '' && chosenPeer.value === '' && (current.value?.peers.length ?? 0) > 0,
)

export const toPeer = (): { peer?: string } => (chosenPeer.value ? { peer: chosenPeer.value } : {})

// The choice is one among the peers of that endpoint.
watch(
  () => chosen.endpoint,
  () => (send.peer = ''),
)
