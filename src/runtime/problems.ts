/** A problem found before Node-RED started, for readiness to report. */
export type Problem = {
  /** An error keeps the distribution from being ready; a warning does not. */
  severity: 'error' | 'warning'
  what: string
  why: string
}

const problems: Problem[] = []

/** Notes a problem for readiness. */
export function reportProblem(problem: Problem): void {
  problems.push(problem)
}

/** All problems noted so far. */
export function reportedProblems(): readonly Problem[] {
  return problems
}
