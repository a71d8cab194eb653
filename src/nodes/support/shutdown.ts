let shuttingDown = false

/** Whether the process was asked to end, so that nodes close for good. */
export function isShuttingDown(): boolean {
  return shuttingDown
}

/** Notices signals before Node-RED, which stops the flows at once. Signals that Node-RED does not handle keep their default effect. */
export function watchSignals(): void {
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    if (process.listenerCount(signal) > 0) process.prependListener(signal, () => (shuttingDown = true))
  }
}
