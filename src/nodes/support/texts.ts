/** As Node-RED's own nodes say it, since flows may look at the status. */
export function countConnections(count: number): string {
  return `${count} ${count === 1 ? 'connection' : 'connections'}`
}
