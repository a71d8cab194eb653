// npm run ports -- list | doctor | publish <port> | unpublish <port> | watch | check <port>
// Compares what flows listen on with what Docker publishes, and starts a small forwarder for a port that is published nowhere.
import { main } from '../src/ports/command/main.ts'

process.exit(await main(process.argv.slice(2)))
