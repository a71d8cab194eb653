import { watch } from 'vue'
import { hello } from './connection.ts'
import { fillForm } from './form.ts'
import { chosen } from './session.ts'
import { network } from './settings.ts'

/**
 * What a link to this page asks for: `?preset=tcp-response` the other side of a scenario, `?connect=HOST:PORT` or `?listen=PORT`. They
 * fill in the form and no more: a link from elsewhere must not dial.
 */
export function followAddress(): void {
  const asked = new URLSearchParams(location.search)
  if ([...asked].length === 0) return
  window.history.replaceState(undefined, '', location.pathname)
  const [, host, port] =
    /^(?:\[([\da-fA-F:.]+)\]|([\w.-]+)):(\d{1,5})$/.exec(asked.get('connect') ?? '')?.filter((part) => part !== undefined) ?? []
  if (host && port) fill({ kind: 'tcp-client', host, port })
  const listen = asked.get('listen')
  if (listen && /^\d{1,5}$/.test(listen)) fill({ kind: 'tcp-server', localPort: listen })
  const scenario = asked.get('preset')
  if (scenario)
    whenGreeted(({ presets }) => {
      const preset = presets.find((each) => each.scenario === scenario)
      if (!preset) return
      chosen.endpoint = ''
      fillForm(preset.spec)
    })
}

function fill(settings: Partial<typeof network>): void {
  whenGreeted(() => {
    chosen.endpoint = ''
    Object.assign(network, settings)
  })
}

// The form is that of a new endpoint as soon as the server has said which there are.
function whenGreeted(act: (said: NonNullable<typeof hello.value>) => void): void {
  const stop = watch(
    hello,
    (said) => {
      if (!said) return
      queueMicrotask(() => {
        stop()
        act(said)
      })
    },
    { immediate: true },
  )
}
