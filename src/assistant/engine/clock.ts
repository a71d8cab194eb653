// Microseconds since 1970. The clock of the machine may be set, the monotonic one drifts from it: a step is followed, a drift is not seen.
const STEP_MS = 50

let origin = performance.timeOrigin

export function nowMicros(): number {
  const precise = origin + performance.now()
  const wall = Date.now()
  if (Math.abs(wall - precise) <= STEP_MS) return Math.round(precise * 1000)
  origin += wall - precise
  return wall * 1000
}
