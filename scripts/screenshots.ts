// npm run docs:screenshots: follows docs/guide in a browser, in both languages, and takes its pictures.
import { fail } from '../src/cli/terminal.ts'
import { takePictures } from '../test/guide/take-pictures.ts'

await takePictures().catch(fail)
