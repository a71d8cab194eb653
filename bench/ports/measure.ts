// Live ports: from deploy to first byte, and what a forwarder costs against a port that the container publishes itself.
import { say } from '../../src/cli/terminal.ts'
import { PortsProject } from '../../test/ports/support/project.ts'
import { median } from '../figures.ts'
import type { PartOptions, PartReport } from '../part.ts'
import { measureDeploys } from './deploys.ts'
import { formatPorts, portsGoalsMet, portsToJson } from './report.ts'
import { lanAddress, measureWays } from './ways.ts'

/** Starts docker-compose.yml as it is as a project of its own, with `watch` beside it, and takes all of it away again. */
export async function measurePorts({ place, ...options }: PartOptions): Promise<PartReport | undefined> {
  if (place.kind !== 'container') {
    say('live ports are not measured: they need a Docker engine')
    return undefined
  }
  say('ports: starting a compose project')
  await using project = await PortsProject.start('bench', { image: place.image })
  await project.watch()
  const deploys = await measureDeploys(project, options)
  say(`ports · ${deploys.length} deploys: first byte after ${median(deploys.map(({ firstByte }) => firstByte)).toFixed(0)} ms (median)`)
  const ways = await measureWays(project, options)
  for (const [way, rounds] of Object.entries(ways)) {
    say(
      `ports · ${way}: ${median(rounds.map(({ throughput }) => throughput)).toFixed(0)} MiB/s, ${median(rounds.map(({ latency }) => latency)).toFixed(0)} µs`,
    )
  }
  const report = { deploys, ways, address: lanAddress() }
  return { text: formatPorts(report), json: portsToJson(report), goalsMet: portsGoalsMet(report) }
}
