/** In the words of Node-RED's own nodes, since flows may compare the status. */
export function countConnections(count: number): string {
  return `${count} ${count === 1 ? 'connection' : 'connections'}`
}
