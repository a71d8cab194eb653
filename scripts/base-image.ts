// npm run base-image: makes sure that the base image is there, BASE_IMAGE or Node.js' own.
import { say, fail } from '../src/cli/terminal.ts'
import { baseImage, provideBaseImage } from './support/base-image.ts'

try {
  say(`${baseImage}: ${await provideBaseImage(baseImage)}`)
} catch (error) {
  fail(error)
}
