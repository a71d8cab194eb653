#!/usr/bin/env bash
# Installs the programs of Debian's that the tests drive as third parties, and letters for pages in Chinese. Asks before it touches the machine, unless CI=true.
set -euo pipefail

# The browser without its windows: it takes half the time of a whole one.
PACKAGES=(socat ncat chromium-headless-shell tshark)
missing=()
for package in "${PACKAGES[@]}"; do command -v "$package" >/dev/null || missing+=("$package"); done
fc-list :lang=zh 2>/dev/null | grep -q . || missing+=(fonts-noto-cjk)
[ "${#missing[@]}" -gt 0 ] || exit 0

if [ "${CI:-}" != true ]; then
  [ -t 0 ] || { echo "test-tools: no terminal to ask on. Set CI=true to install: ${missing[*]}" >&2; exit 1; }
  read -r -p "Install ${missing[*]} with apt-get? [y/N] " answer
  [ "$answer" = y ] || exit 1
fi
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }
as_root apt-get update -qq
as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >&2
