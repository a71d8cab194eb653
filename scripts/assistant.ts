// npm run assistant -- connect | listen | udp | tap | run, and `assistant …` inside the image.
// A network debug assistant for the terminal, on the engine of the one in the browser.
import { main } from '../src/assistant/command/main.ts'

process.exit(await main(process.argv.slice(2)))
