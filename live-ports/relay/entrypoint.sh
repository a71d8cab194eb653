#!/bin/bash
# Relays RELAY_PORT to the same port of RELAY_TARGET, and tells its status port where that is published.
#   RELAY_PORT         port to listen on, and to connect to
#   RELAY_TARGET       host name of Node-RED (node-red)
#   RELAY_STATUS_PORT  its status port (1881)
#   RELAY_PUBLISHED    ADDRESS:PORT of the host that leads here
#   RELAY_PROXY        v2: send a PROXY protocol header; none: do not; auto: as the listener wants it (auto)
set -u
export RELAY_TARGET="${RELAY_TARGET:-node-red}" RELAY_STATUS_PORT="${RELAY_STATUS_PORT:-1881}" RELAY_PROXY="${RELAY_PROXY:-auto}"
: "${RELAY_PORT:?the port to relay}" "${RELAY_PUBLISHED:?ADDRESS:PORT of the host}"
# Any port but the one that is relayed.
export RELAY_HEALTH_PORT=10080
[ "$RELAY_PORT" != 10080 ] || RELAY_HEALTH_PORT=10081

# Announces this relay and prints what the status port knows about the listener; fails when nothing listens there.
announce() {
  timeout 2 bash -c '
    exec 3<>"/dev/tcp/$RELAY_TARGET/$RELAY_STATUS_PORT" &&
    printf "GET /listeners/%s?published=%s HTTP/1.1\r\nHost: status\r\nConnection: close\r\n\r\n" "$RELAY_PORT" "$RELAY_PUBLISHED" >&3 &&
    answer=$(cat <&3) && [[ $answer == "HTTP/1.1 200 "* ]] && printf %s "$answer"
  ' 2>/dev/null
}

# As process 1, bash would not end otherwise.
trap 'exit 0' USR1 TERM INT

# Devices come in when Node-RED listens and knows who brings them.
until fact=$(announce); do sleep 0.2; done
if [ "$RELAY_PROXY" = auto ]; then
  if [[ $fact =~ \"proxy\":\ *true ]]; then RELAY_PROXY=v2; else RELAY_PROXY=none; fi
fi
exec haproxy -db -f /etc/relay/haproxy.cfg
