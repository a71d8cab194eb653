import type { Problem } from '../../ports/shared/diagnosis.ts'
import type { PortsView } from '../../ports/shared/view.ts'
import { button, copyable, editor, element, say, type Elements, type Notification } from './editor.ts'
import { problemText } from './problems.ts'

const MAX_SHOWN = 3

/** One notification for the ports of a deploy that nobody outside reaches. It goes by itself when they are all mended. */
export function createNotification(showPorts: () => void): { tell: (problems: Problem[]) => void; update: (view: PortsView) => void } {
  let problems: Problem[] = []
  let open: Notification | undefined

  function close(): void {
    open?.close()
    open = undefined
    problems = []
  }

  function content(): Elements {
    const shown = problems.slice(0, MAX_SHOWN)
    const more = problems.length - shown.length
    return element('div', 'tcp-ports-notification').append(
      ...shown.flatMap((problem) => [element('p', '', problemText(problem)), copyable(problem.fix)]),
      more > 0 ? element('p', '', say('notification.more', { more })) : undefined,
      element('p', '', say('notification.livePorts')),
      element('div', 'ui-dialog-buttonset').append(
        button('', say('notification.show'), () => {
          close()
          showPorts()
        }),
        button('', say('notification.close'), close),
      ),
    )
  }

  return {
    tell(added) {
      // Shown anew: an update in place would keep what was said of another deploy.
      const known = new Set(added.map(({ params }) => params.port))
      const all = [...problems.filter(({ params }) => !known.has(params.port)), ...added]
      close()
      problems = all
      open = editor.notify(content(), { type: 'warning', fixed: true })
    },
    update({ rows }) {
      if (!open) return
      const unmended = new Set(rows.filter((row) => row.problems.length > 0).map(({ port }) => port))
      problems = problems.filter(({ params }) => unmended.has(Number(params.port)))
      if (problems.length === 0) close()
    },
  }
}
