// What the assistant's endpoints do, on node:net: `node bare.ts ECHO_PORT RECEIVE_PORT`. Runs in the image too, so it imports nothing from outside of bench/.
import { listen, listenForReceivers } from '../servers.ts'

const [echoPort, receivePort] = process.argv.slice(2)
listen(Number(echoPort), (socket) => socket.on('data', (chunk) => socket.write(chunk)))
listenForReceivers(Number(receivePort))
