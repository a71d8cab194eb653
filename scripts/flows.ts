// npm run flows -- status | diff <name> | reset <name> | export <name>
// Talks to a running editor, in a container or embedded, through its admin API.
import { fail } from '../src/cli/terminal.ts'
import { main } from '../src/provisioning/command/main.ts'

await main(process.argv.slice(2)).catch(fail)
