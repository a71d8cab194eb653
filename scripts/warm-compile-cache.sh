#!/bin/bash
# Starts the distribution once while the image is built, so that V8's code for all of it is in NODE_COMPILE_CACHE.
# As user 1000, since Node.js keeps a cache for each user id.
set -eu
data=$(mktemp -d)
install -d -o 1000 "$NODE_COMPILE_CACHE"
chown 1000 "$data"
export DATA_DIR="$data" FLOWS_DIR='' LOG_LEVEL=error
setpriv --reuid=1000 --regid=0 --clear-groups node dist/src/runtime/main.js >"$data/log" 2>&1 &
pid=$!
deadline=$((SECONDS + 120))
until scripts/healthcheck.sh 2>/dev/null; do
  kill -0 "$pid" 2>/dev/null && [ "$SECONDS" -lt "$deadline" ] || { cat "$data/log" >&2; exit 1; }
  sleep 0.2
done
# The cache is written when the process ends by itself; it does so on SIGTERM.
kill "$pid"
wait "$pid"
rm -rf "$data"
chown -R 0:0 "$NODE_COMPILE_CACHE"
chmod -R a+rX,go-w "$NODE_COMPILE_CACHE"
