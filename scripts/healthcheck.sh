#!/bin/bash
# Asks /readyz without starting Node.js or curl: bash opens the connection itself.
exec 3<>/dev/tcp/127.0.0.1/${STATUS_PORT:-1881} || exit 1
printf 'GET /readyz HTTP/1.0\r\n\r\n' >&3
read -r -t 4 _ status _ <&3
[ "$status" = 200 ] && exit 0
cat <&3 | sed '1,/^\r$/d' >&2
exit 1
