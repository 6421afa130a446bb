#!/usr/bin/env bash
# From a fresh machine to a first report: installs what is missing (root or sudo, no question),
# builds into build/, starts a private server and runs scripts/quickstart.lua against it.
# usage: quickstart.sh [options of vbench]
set -euo pipefail
cd "$(dirname "$0")/.."

missing() {
  local program
  for program in gcc make cmake pkg-config luajit; do
    command -v $program >/dev/null || return 0
  done
  pkg-config --exists luajit hiredis zlib || return 0
  luajit -e 'require "argparse"; require "cjson"' >/dev/null 2>&1 || return 0
  ! command -v valkey-server >/dev/null && ! command -v redis-server >/dev/null
}

quietly() { # what it is, then a command whose output only matters when it fails
  local what=$1 log
  shift
  echo "quickstart: $what"
  log=$(mktemp)
  if ! "$@" >"$log" 2>&1; then
    tail -n 40 "$log" >&2
    echo "quickstart: $what failed (all of it: $log)" >&2
    exit 1
  fi
  rm -f "$log"
}

if missing; then quietly "installing what is missing" bash scripts/install-deps.sh --build; fi
quietly "building" bash -c 'cmake -S . -B build &&
  cmake --build build -j"$(nproc)" --target vbench'
exec build/vbench scripts/quickstart.lua --local "$@"
