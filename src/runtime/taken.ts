import { forgetSecrets, readEnvironment, type Environment } from './environment.ts'
import { assertDataWritable, claimData } from './preflight.ts'
import { openSecrets, type Secrets } from './secrets.ts'

type Taken = {
  environment: Environment
  secrets: Secrets
  /** Whether this process alone has the data folder. */
  locked: boolean
}

let taken: Taken | undefined

/**
 * Environment, data folder and secrets of this process, taken at the first call: main.ts and Node-RED's settings file both ask, and only
 * the first would find the secrets, since they leave the environment with this.
 */
export function takeEnvironment(): Taken {
  if (taken) return taken
  const { environment, given } = readEnvironment()
  assertDataWritable(environment.DATA_DIR)
  const locked = claimData(environment.DATA_DIR)
  taken = { environment, secrets: openSecrets(given, environment), locked }
  forgetSecrets()
  return taken
}
