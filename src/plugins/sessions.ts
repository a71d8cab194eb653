import { state } from '../process/state.ts'
import type { NodeRed } from './node-red.ts'

type Request = { params: { id: string } }
type Response = { status: (code: number) => Response; json: (body: unknown) => void; end: () => void }

/** DELETE /tcp/sessions/:id closes a TCP session; its permission is `tcp.write`. */
function sessionsPlugin(RED: NodeRed): void {
  RED.httpAdmin.delete('/tcp/sessions/:id', RED.auth.needsPermission('tcp.write'), ({ params }: Request, response: Response) => {
    const session = state.engine.findSession(params.id)
    if (!session) return response.status(404).json({ error: `no open TCP session ${params.id}` })
    session.finish()
    response.status(204).end()
  })
}

export { sessionsPlugin as 'module.exports' }
