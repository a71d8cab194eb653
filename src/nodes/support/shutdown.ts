let shuttingDown = false

/** Whether the process was asked to end, so that nodes close for good. */
export function isShuttingDown(): boolean {
  return shuttingDown
}

/** Notices signals before Node-RED does, which stops the flows at once. Where Node-RED has no say, signals keep their own effect. */
export function watchSignals(): void {
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    if (process.listenerCount(signal) > 0) process.prependListener(signal, () => (shuttingDown = true))
  }
}
