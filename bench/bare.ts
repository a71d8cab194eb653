// A server on node:net, without Node-RED: `node bare.ts WORKLOAD IN_PORT OUT_PORT`. Runs in the image too, so it imports nothing from outside of bench/.
import { findWorkload } from './workloads.ts'

const [name = '', inPort, outPort] = process.argv.slice(2)
findWorkload(name).serve({ in: Number(inPort), out: Number(outPort) })
