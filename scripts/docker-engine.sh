#!/usr/bin/env bash
# Installs and starts a Docker Engine with Compose and Buildx on Debian, from Debian's own packages.
# For CI machines and air-gapped plants. Asks before it touches the machine, unless CI=true.
#
#   scripts/docker-engine.sh          install what is missing, start the engine, wait until it answers
#   scripts/docker-engine.sh stop     stop an engine that this script started
set -euo pipefail

PID_FILE=/run/node-red-tcp-dockerd.pid
LOG_FILE=/var/log/node-red-tcp-dockerd.log
START_TIMEOUT_S=60
PLUGIN_DIR="$HOME/.docker/cli-plugins"

say() { printf 'docker-engine: %s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }
engine_answers() { docker version --format '{{.Server.Version}}' >/dev/null 2>&1; }
has_plugin() { docker "$1" version >/dev/null 2>&1; }

missing_parts() {
  command -v dockerd >/dev/null || engine_answers || echo 'docker.io, iptables (Debian packages)'
  engine_answers || echo 'a running dockerd'
  has_plugin compose || echo "the Compose plugin (in $PLUGIN_DIR)"
  has_plugin buildx || echo "the Buildx plugin (in $PLUGIN_DIR)"
}

ask_first() {
  [ "${CI:-}" = true ] && return
  say 'this would install or start:'
  printf '  - %s\n' "$@" >&2
  [ -t 0 ] || fail 'no terminal to ask on. Set CI=true to go ahead without asking.'
  read -r -p 'Go ahead? [y/N] ' answer
  case "$answer" in y | Y | yes) ;; *) fail 'nothing was changed.' ;; esac
}

install_engine() {
  command -v dockerd >/dev/null && return
  say 'installing docker.io and iptables'
  as_root apt-get update -qq
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends docker.io iptables >&2
}

start_engine() {
  engine_answers && return
  if [ -d /run/systemd/system ]; then
    as_root systemctl start docker
  else
    # setsid: the engine must outlive the terminal and the command that started it.
    as_root sh -c "setsid dockerd --pidfile '$PID_FILE' >'$LOG_FILE' 2>&1 </dev/null &"
  fi
  local deadline=$((SECONDS + START_TIMEOUT_S))
  until engine_answers; do
    [ "$SECONDS" -lt "$deadline" ] || {
      as_root tail -n 20 "$LOG_FILE" >&2 || true
      fail "dockerd did not answer within $START_TIMEOUT_S s; its log is $LOG_FILE"
    }
    sleep 0.2
  done
}

# Debian 12 packages neither plugin; Debian 13 does, and its binaries run on 12. The mirror is this machine's own.
install_plugins() {
  local wanted=()
  has_plugin compose || wanted+=(docker-compose)
  has_plugin buildx || wanted+=(docker-buildx)
  [ "${#wanted[@]}" -gt 0 ] || return 0
  local mirror suite work
  mirror=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' 'Component: main' | grep -m1 '/debian/\?$') ||
    fail 'no Debian mirror among the apt sources of this machine'
  suite=trixie
  work=$(mktemp -d)
  trap 'rm -rf "$work"' RETURN
  mkdir -p "$work/lists/partial" "$work/cache/archives/partial" "$work/root"
  echo "deb $mirror $suite main" >"$work/sources.list"
  local apt=(apt-get -qq -o "Dir::Etc::SourceList=$work/sources.list" -o Dir::Etc::SourceParts=/dev/null
    -o "Dir::State::Lists=$work/lists" -o "Dir::Cache=$work/cache" -o APT::Sandbox::User=root)
  say "fetching ${wanted[*]} from Debian $suite"
  "${apt[@]}" update
  (cd "$work" && "${apt[@]}" download "${wanted[@]}")
  for deb in "$work"/*.deb; do dpkg -x "$deb" "$work/root"; done
  mkdir -p "$PLUGIN_DIR"
  cp "$work"/root/usr/libexec/docker/cli-plugins/* "$PLUGIN_DIR/"
}

stop_engine() {
  as_root test -f "$PID_FILE" || fail "no engine of this script's is running ($PID_FILE is not there)"
  as_root sh -c "kill \"\$(cat '$PID_FILE')\""
  say 'stopped'
}

case "${1:-start}" in
  stop) stop_engine && exit ;;
  start) ;;
  *) fail "unknown argument '$1'; use: scripts/docker-engine.sh [stop]" ;;
esac

mapfile -t missing < <(missing_parts)
if [ "${#missing[@]}" -gt 0 ]; then
  [ -r /etc/debian_version ] || fail 'this script knows Debian only; for other systems see https://docs.docker.com/engine/install/'
  ask_first "${missing[@]}"
  install_engine
  start_engine
  install_plugins
fi
say "engine $(docker version --format '{{.Server.Version}}'), compose $(docker compose version --short), $(docker buildx version | awk '{print $1, $2}')"
