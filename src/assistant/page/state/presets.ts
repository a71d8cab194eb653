import type { Preset } from '../../shared/protocol.ts'
import type { Key } from '../i18n/catalog.ts'
import { t } from '../i18n/index.ts'
import { endpoints } from './connection.ts'
import { addressOf } from './form.ts'
import { chosen, openEndpoint } from './session.ts'
import { send } from './settings.ts'

type Scenario = Preset['scenario']

const NAMES: Record<Scenario, Key> = {
  'tcp-in-server': 'preset.tcp-in-server',
  'tcp-in-client': 'preset.tcp-in-client',
  'tcp-out-server': 'preset.tcp-out-server',
  'tcp-out-client': 'preset.tcp-out-client',
  'tcp-response': 'preset.tcp-response',
}
const HINTS: Record<Scenario, Key> = {
  'tcp-in-server': 'preset.tcp-in-server.hint',
  'tcp-in-client': 'preset.tcp-in-client.hint',
  'tcp-out-server': 'preset.tcp-out-server.hint',
  'tcp-out-client': 'preset.tcp-out-client.hint',
  'tcp-response': 'preset.tcp-response.hint',
}

export function portOfPreset({ spec }: Preset): number {
  return spec.kind === 'udp' ? (spec.port ?? spec.localPort) : spec.port
}

export const nameOfPreset = (preset: Preset): string => `${portOfPreset(preset)} · ${t(NAMES[preset.scenario])}`
export const titleOfPreset = (preset: Preset): string => t(NAMES[preset.scenario])
export const hintOfPreset = (preset: Preset): string => t(HINTS[preset.scenario], { port: portOfPreset(preset) })

/** Opens the other side of a scenario, or goes to it when it is there. */
export async function startPreset(preset: Preset): Promise<void> {
  const there = endpoints.value.find(
    ({ spec, state }) =>
      spec.kind === preset.spec.kind && addressOf(spec) === addressOf(preset.spec) && (state === 'open' || state === 'opening'),
  )
  if (preset.draft && send.draft.text === '') send.draft = { ...preset.draft }
  if (there) chosen.endpoint = there.id
  else await openEndpoint(preset.spec)
}
