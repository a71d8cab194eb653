#!/bin/bash
# Relays RELAY_PORT to the same port of RELAY_TARGET, and tells its status port where that is published. Whether a PROXY protocol header
# goes before each connection is what the listener wants, now and later.
#   RELAY_PORT         port to listen on, and to connect to
#   RELAY_TARGET       host name of Node-RED (node-red)
#   RELAY_STATUS_PORT  its status port (1881)
#   RELAY_PUBLISHED    ADDRESS:PORT of the host that leads here
set -u
export RELAY_TARGET="${RELAY_TARGET:-node-red}" RELAY_STATUS_PORT="${RELAY_STATUS_PORT:-1881}" RELAY_PROXY=v2
: "${RELAY_PORT:?the port to relay}" "${RELAY_PUBLISHED:?ADDRESS:PORT of the host}"
# Any port but the one that is relayed.
export RELAY_HEALTH_PORT=10080
[ "$RELAY_PORT" != 10080 ] || RELAY_HEALTH_PORT=10081

# Announces this relay and prints the answer of the status port.
announce() {
  timeout 2 bash -c '
    exec 3<>"/dev/tcp/$RELAY_TARGET/$RELAY_STATUS_PORT" &&
    printf "GET /listeners/%s?published=%s&proxy=%s HTTP/1.1\r\nHost: status\r\nnode-red-tcp-ports: 1\r\nConnection: close\r\n\r\n" \
      "$RELAY_PORT" "$RELAY_PUBLISHED" "$RELAY_PROXY" >&3 &&
    cat <&3
  ' 2>/dev/null
}

# As process 1, bash would not end otherwise.
trap 'exit 0' USR1 TERM INT

# Devices come in when Node-RED listens and knows who brings them, and how.
until answer=$(announce) && [[ $answer == "HTTP/1.1 200 "* ]]; do
  said=$RELAY_PROXY
  if [[ $answer =~ forwarder-proxy:\ (v2|none) ]]; then RELAY_PROXY=${BASH_REMATCH[1]}; fi
  [ "$RELAY_PROXY" != "$said" ] || sleep 0.2
done
exec haproxy -db -f /etc/relay/haproxy.cfg
