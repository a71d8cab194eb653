import type { Preset } from '../../shared/protocol.ts'
import { portOfPreset } from './presets.ts'
import { current } from './session.ts'
import { network, newNetwork } from './settings.ts'
import { remembered } from './storage.ts'

/** The ports that the form was given without anybody typing them; the first are those of browsers that have not remembered any. */
const suggested = remembered('suggested', { port: '9501', localPort: '9601' })

/** Puts the ports of the scenarios into the form for a new endpoint, where nobody has typed another. */
export function suggestPorts(presets: readonly Preset[]): void {
  const portOf = (scenario: Preset['scenario']) => {
    const preset = presets.find((candidate) => candidate.scenario === scenario)
    return preset ? String(portOfPreset(preset)) : ''
  }
  const ports = { port: portOf('tcp-in-server'), localPort: portOf('tcp-in-client') }
  // While an endpoint is looked at, its own settings stand in `network`.
  for (const form of current.value ? [newNetwork] : [network, newNetwork]) {
    for (const field of ['port', 'localPort'] as const)
      if (form[field] === '' || form[field] === suggested[field]) form[field] = ports[field]
  }
  Object.assign(suggested, ports)
}
