import { readProvisioned } from '../provisioning/provisioned.ts'
import type { NodeRed } from './node-red.ts'

type Response = { json: (body: unknown) => void }

/** GET /provisioning: every provisioned file, how it stands to the deployed flows, and the nodes on both sides. */
function provisioningPlugin(RED: NodeRed): void {
  const distribution = RED.settings.distribution
  if (!distribution) return
  RED.httpAdmin.get('/provisioning', RED.auth.needsPermission('flows.read'), (_request: unknown, response: Response) => {
    response.json(readProvisioned(distribution.provisioning()))
  })
}

export { provisioningPlugin as 'module.exports' }
