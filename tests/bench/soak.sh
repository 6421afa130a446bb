#!/usr/bin/env bash
# The soak tests at length: a mixed load through 1000 random kills of connections in a minute, and
# the load of a million ids while all connections are cut every 50 ms.
# usage: tests/bench/soak.sh      SECONDS_ALL (60), IDS (1000000), BUILD (build)
set -euo pipefail
cd "$(dirname "$0")/../.."
build=$PWD/${BUILD:-build}
export VBENCH_SOAK_S=${SECONDS_ALL:-60} VBENCH_SOAK_IDS=${IDS:-1000000}
export VBENCH=$build/vbench VBENCH_CDEF=$build/vbench.cdef VBENCH_LIBRARY=$build/libvbench.so
export LUA_PATH="lua/?.lua;lua/?/init.lua;./?.lua;;"
busted --lua=luajit tests/integration/soak_spec.lua
