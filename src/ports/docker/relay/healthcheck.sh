#!/bin/bash
# Healthy when Node-RED listens on the port: HAProxy knows. In bash, so that a check costs next to nothing.
port=10080
[ "$RELAY_PORT" != 10080 ] || port=10081
exec 3<>"/dev/tcp/127.0.0.1/$port" || exit 1
printf 'GET / HTTP/1.0\r\n\r\n' >&3
read -r -t 2 answer <&3 || exit 1
[[ $answer == *' 200 '* ]]
