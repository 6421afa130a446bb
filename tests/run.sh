#!/usr/bin/env bash
# Builds everything and runs every test. Installs what is missing first.
# usage: tests/run.sh [unit | lua | integration | asan | tsan | lint]...     all of them by default
# The last line is "N passed, N failed, N skipped" over all runners; exit 1 when anything failed.
# VBENCH_TEST_JOBS is the number of compilers at a time (default: the cores). Servers are started on
# free ports of the loopback; where one cannot be had, what needs it says so and is skipped.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
jobs=${VBENCH_TEST_JOBS:-$(nproc)}
logs=$root/build/test-logs
passed=0 failed=0 skipped=0
declare -A built # exit code of each build directory's build, so that it is built once

say() { printf '\n== %s (%d s)\n' "$*" "$SECONDS"; }
count() { passed=$((passed + $1)) failed=$((failed + $2)) skipped=$((skipped + $3)); }

# A failure of the machinery itself (a build that breaks) counts as one failed test.
step() {
  local name=$1 log
  shift
  log=$logs/$name.log
  if "$@" >"$log" 2>&1; then return 0; fi
  tail -n 60 "$log"
  echo "FAILED: $name (all of it: $log)"
  count 0 1 0
  return 1
}

has_numpy() { # in the first python3, or in the system's
  local program
  for program in python3 /usr/bin/python3; do
    $program -c 'import numpy, h5py' 2>/dev/null && return 0
  done
  return 1
}

needs() { # whether something that `lint`, `unit` or the specs call is missing
  local program
  for program in gcc cmake pkg-config luajit busted clang-format openssl redis-server; do
    command -v "$program" >/dev/null || return 0
  done
  ! pkg-config --exists luajit hiredis openssl zlib cmocka ||
    ! command -v valkey-server >/dev/null || ! has_numpy
}

build() { # directory, CMake options
  local directory=$1 name
  shift
  name=$(basename "$directory")
  [[ -z ${built[$name]:-} ]] || return "${built[$name]}"
  built[$name]=1
  say "build $name"
  step "$name-configure" cmake -S . -B "$directory" -DVBENCH_WERROR=ON "$@" &&
    step "$name-build" cmake --build "$directory" -j"$jobs" && built[$name]=0
}

# Counts the single tests of cmocka programs in what `ctest -V` prints; a program that died counts
# as one failed test, one that is not of cmocka as one test.
ctest_counts() {
  awk '
    match($0, /^[0-9]+: \[  (PASSED|FAILED|SKIPPED) +\] [0-9]+ test/) {
      id = $1; kind = $3; sub(/.*\] +/, ""); n = $1 + 0
      seen[id] = 1
      if (kind == "PASSED") passed += n
      if (kind == "FAILED") { failed += n; told[id] = 1 }
      if (kind == "SKIPPED") skipped += n
    }
    match($0, /^ *[0-9]+\/[0-9]+ Test +#[0-9]+:/) {
      id = $0; sub(/.*#/, "", id); sub(/:.*/, ":", id)
      if (/\*\*\*Skipped/) skipped += 1
      else if (/Passed/) { if (!seen[id]) passed += 1 }
      else if (!told[id]) failed += 1
    }
    END { print passed + 0, failed + 0, skipped + 0 }' "$1"
}

run_ctest() { # name, directory, options of ctest
  local name=$1 directory=$2 log counts
  shift 2
  log=$logs/$name.log
  say "$name"
  ctest --test-dir "$directory" -V "$@" >"$log" 2>&1 || true
  read -ra counts <<<"$(ctest_counts "$log")"
  count "${counts[@]}"
  echo "${counts[0]} passed, ${counts[1]} failed, ${counts[2]} skipped"
  [[ ${counts[1]} == 0 ]] ||
    grep -E '^[0-9]+: (\[  (ERROR|FAILED)|.*(rror|ERROR|WARNING))|\*\*\*' "$log" |
      awk "NR <= 60" || true
}

run_busted() { # name, directory of specs, options of busted
  local name=$1 directory=$2 log line counts
  shift 2
  log=$logs/$name.log
  if [[ -z $(find "$directory" -name '*_spec.lua' 2>/dev/null) ]]; then return 0; fi
  say "$name"
  busted --lua=luajit -o plainTerminal --pattern=_spec "$@" "$directory" >"$log" 2>&1 || true
  line=$(grep -E '^[0-9]+ success.* / [0-9]+ failure' "$log" | tail -n 1)
  # "3 successes / 0 failures / 0 errors / 1 pending : 0.2 seconds"
  read -ra counts <<<"${line//[^0-9 ]/}"
  if ((${#counts[@]} >= 4)); then
    count "${counts[0]}" $((counts[1] + counts[2])) "${counts[3]}"
    echo "$line"
    ((counts[1] + counts[2] == 0)) || sed -n '/^Failure\|^Error/,$p' "$log" | awk "NR <= 80"
    sed -n '/^Pending/,/^$/p' "$log" | awk "NR <= 30"
  else
    tail -n 30 "$log"
    echo "FAILED: $name ended without a summary"
    count 0 1 0
  fi
}

# Where the servers are, for the specs; a reason where one is not.
find_servers() {
  local out
  export VBENCH_VALKEY="" VBENCH_REDIS="" VBENCH_REDIS8=""
  VBENCH_VALKEY=$(command -v valkey-server || true)
  VBENCH_REDIS=$(command -v redis-server || true)
  [[ -n $VBENCH_VALKEY ]] || echo "no valkey-server: what needs it is skipped"
  if out=$(bash tests/support/get-redis8.sh 2>&1); then VBENCH_REDIS8=$out/redis-server
  else echo "no Redis 8: what needs it is skipped ($out)"; fi
}

# The specs drive the program of a given build; what they load themselves is never sanitized, since
# a sanitizer must be there when a process starts.
with_paths() { # directory of that build, then what to run
  local -x VBENCH=$root/$1/vbench
  local -x VBENCH_CDEF=$root/build/vbench.cdef VBENCH_LIBRARY=$root/build/libvbench.so
  local -x LUA_PATH="$root/lua/?.lua;$root/lua/?/init.lua;$root/?.lua;;"
  shift
  "$@"
}

lint() {
  say lint
  local check
  local -x LUA_PATH="tests/lint/?.lua;;"
  for check in globals layers sizes words; do
    step $check luajit tests/lint/$check.lua && count 1 0 0
  done
  step clang-format bash -c "find src tests \( -name '*.c' -o -name '*.h' \) -print0 |
    xargs -0 clang-format --dry-run -Werror" && count 1 0 0
  step shell-syntax bash -c "find .ci datasets scripts tests -name '*.sh' -o -path .ci/run |
    while read -r f; do bash -n \"\$f\" || exit 1; done" && count 1 0 0
  true
}

unit() {
  build build || return 0
  run_ctest unit build
}

lua() {
  build build || return 0
  with_paths build run_busted lua tests/lua
}

integration() {
  build build || return 0
  with_paths build run_busted integration tests/integration
}

# LeakSanitizer cannot look into LuaJIT's memory, so what only a Lua object holds seems lost to it:
# it is on in the unit tests and off where Lua runs.
asan() {
  build build || return 0
  build build-asan -DVBENCH_SANITIZE=address,undefined -DCMAKE_BUILD_TYPE=Debug || return 0
  export UBSAN_OPTIONS=print_stacktrace=1
  ASAN_OPTIONS=detect_leaks=1 run_ctest asan-unit build-asan
  ASAN_OPTIONS=detect_leaks=0 with_paths build-asan run_busted asan-integration tests/integration
}

# ThreadSanitizer, on what runs threads: unit tests that use them, and the specs of load and hooks.
tsan() {
  local names
  names=$(grep -lE 'engine/|pthread' tests/unit/test_*.c | sed 's|.*/||; s|\.c$||' | paste -sd'|')
  build build || return 0
  build build-tsan -DVBENCH_SANITIZE=thread -DCMAKE_BUILD_TYPE=Debug || return 0
  local -x TSAN_OPTIONS=halt_on_error=1
  run_ctest tsan-unit build-tsan -R "^($names)\$"
  with_paths build-tsan run_busted tsan-load tests/integration/load_spec.lua
  with_paths build-tsan run_busted tsan-hooks tests/integration/hooks_spec.lua
}

mkdir -p "$logs"
parts=("$@")
((${#parts[@]})) || parts=(lint unit lua integration asan tsan)
for part in "${parts[@]}"; do
  case $part in
    unit | lua | integration | asan | tsan | lint) ;;
    *) sed -n '2,7p' "$0" >&2; exit 2 ;;
  esac
done
if needs; then
  say "install what is missing"
  step install-deps bash scripts/install-deps.sh --test || true
fi
find_servers
for part in "${parts[@]}"; do "$part"; done
printf '\n%d passed, %d failed, %d skipped\n' $passed $failed $skipped
((failed == 0))
