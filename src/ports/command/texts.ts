import type { Problem } from '../shared/diagnosis.ts'
import { withHolder } from '../shared/holders.ts'

/** What is wrong, in a sentence. */
export function describeProblem({ code, params }: Problem): string {
  const { port, address, reason, hostPort, holder, host, state, subject, at } = params
  switch (code) {
    case 'LISTEN_FAILED':
      return `cannot listen: ${withHolder(String(reason), holder === undefined ? undefined : String(holder))}`
    case 'NOT_PUBLISHED':
      return `nothing leads from outside to ${port}`
    case 'HOST_PORT_TAKEN':
      return `port ${hostPort} of this machine is taken by ${holder || 'somebody else'}`
    case 'PUBLISH_REFUSED':
      return `was not published: ${reason}`
    case 'NOTHING_LISTENS':
      return `is published, and no flow listens on ${port}`
    case 'LOOPBACK_INSIDE':
      return `listens on ${address} only, which nobody outside of the container reaches`
    case 'LOOPBACK_ONLY':
      return `is published on ${address} only: other machines do not reach it`
    case 'NO_ANSWER':
      return `${host}:${port} does not answer: ${reason}`
    case 'CERTIFICATE':
      if (state === 'unusable') return `its certificate cannot be used: ${reason}`
      if (state === 'early') return `its certificate (${subject}) is not valid before ${at}`
      return `its certificate (${subject}) ${state === 'expired' ? 'expired' : 'expires'} on ${at}`
  }
}
