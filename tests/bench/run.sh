#!/usr/bin/env bash
# Measures vbench beside the floor and its peers and prints each bar of "What it must reach" as a
# ratio. Server on core 0, client on core 1, the same million loaded keys for every tool, tools
# interleaved, medians of the rounds. Never fails a build.
# usage: tests/bench/run.sh [cpu | one-key | lua | flow | memory | start | tls | open-loop |
#   dataset | claims]...
#   all by default
#   ROUNDS (5), N1 (500000 requests at pipeline 1), N16 (3000000 at 16), RECORDS (100000), SERVER
#   (redis-server), PORT (21201; the next one is for TLS), BUILD (build)
# Client CPU is user + system of the whole process, start-up included, by its number of requests; of
# the floor, without the rendering of its requests.
set -euo pipefail
cd "$(dirname "$0")/../.."
rounds=${ROUNDS:-5} n1=${N1:-500000} n16=${N16:-3000000} port=${PORT:-21201}
build=$PWD/${BUILD:-build} server=${SERVER:-redis-server} keys=1000000
work=$(mktemp -d)
server_pid= has_tls=
settings=() # what tools are told of the connection besides its port

leave() {
  [[ -z $server_pid ]] || kill "$server_pid" 2>/dev/null || true
  rm -rf "$work"
}
trap leave EXIT

has() { command -v "$1" >/dev/null; }
client() { taskset -c 1 "$build/bench/bench_measure" "$work/cost" "$@"; }

# Whether a server with these options comes up.
try_server() {
  taskset -c 0 "$server" --port "$port" --bind 127.0.0.1 --save "" --appendonly no \
    --maxclients 12000 --dir "$work" "$@" >"$work/server.log" 2>&1 &
  server_pid=$!
  for _ in {1..100}; do
    kill -0 "$server_pid" 2>/dev/null || return 1
    (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && return 0
    sleep 0.05
  done
  return 1
}

start_server() {
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=bench \
    -addext subjectAltName=IP:127.0.0.1 -keyout "$work/key.pem" -out "$work/cert.pem" \
    2>/dev/null && try_server --tls-port $((port + 1)) --tls-cert-file "$work/cert.pem" \
    --tls-key-file "$work/key.pem" --tls-ca-cert-file "$work/cert.pem" --tls-auth-clients no &&
    has_tls=1 || try_server || { tail -n 3 "$work/server.log" >&2; exit 0; }
  "$build/bench/bench_floor" "$port" $keys 50 64 $keys 3 sequential >/dev/null
}

# user + system ticks of the server so far
server_ticks() { awk '{sub(/.*\) /, ""); print $12 + $13}' "/proc/$server_pid/stat"; }

# What each tool is called for: a SET of 3 bytes, 50 connections, n requests, pipeline p, r keys.
# Each prints its requests a second.
tool_floor() {
  client "$build/bench/bench_floor" "$port" "$1" 50 "$2" "$3" 3 random | tee "$work/floor" |
    sed -E 's/.*, ([0-9]+) requests\/s.*/\1/'
}
tool_vbench() {
  client "$build/vbench" -p "$port" "${settings[@]}" -t set -n "$1" -r "$3" -c 50 -P "$2" -d 3 \
    --threads 1 --no-baseline -q | per_second
}
tool_redis-benchmark() { peer redis-benchmark "$@"; }
tool_valkey-benchmark() { peer valkey-benchmark "$@"; }
tool_memtier_benchmark() {
  client memtier_benchmark -p "$port" "${settings[@]}" --ratio=1:0 -c 50 -t 1 -n $(($1 / 50)) \
    --pipeline="$2" -d 3 --key-prefix=key: --key-minimum=1 --key-maximum="$3" \
    --hide-histogram 2>/dev/null |
    awk '$1 == "Sets" {print $2}'
}
peer() {
  client "$1" -p "$port" "${settings[@]}" -t set -n "$2" -r "$4" -c 50 -P "$3" -d 3 -q | per_second
}
per_second() {
  tr '\r' '\n' | sed -nE 's/^ *SET: ([0-9.]+) requests per second.*/\1/p' | tail -n 1
}

# Runs a tool once and keeps its figures: us of CPU a request, requests a second, server's CPU %.
measure() { # tool, requests, pipeline, keys, name of the series
  local before after rate cpu
  before=$(server_ticks)
  rate=$("tool_$1" "$2" "$3" "$4") || rate=
  after=$(server_ticks)
  [[ -n $rate ]] || { echo "$1 failed; left out" >&2; return 0; }
  if [[ $1 == floor ]]; then
    cpu=$(sed -E 's/.*, ([0-9.]+) us CPU.*/\1/' "$work/floor")
  else
    cpu=$(awk -v n="$2" '{print ($2 + $3) * 1e6 / n}' "$work/cost")
  fi
  awk -v c="$cpu" -v r="$rate" -v t=$((after - before)) -v n="$2" -v hz="$(getconf CLK_TCK)" \
    'BEGIN {printf "%.4f %.0f %.0f\n", c, r, 100 * t / hz / (n / r)}' >>"$work/$5.$1"
}

median() { # series, tool, column
  [[ -s $work/$1.$2 ]] || { echo nan; return; }
  awk -v k="$3" '{print $k}' "$work/$1.$2" | sort -g |
    awk '{v[NR] = $1} END {print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2}'
}

series() { # name, requests, pipeline, keys, tools
  local name=$1 n=$2 p=$3 r=$4 tool
  shift 4
  for ((i = 0; i < rounds; i++)); do
    for tool in "$@"; do measure "$tool" "$n" "$p" "$r" "$name"; done
  done
  printf '\n%-20s %14s %14s %12s\n' "$name" "us CPU/request" "requests/s" "server CPU %"
  for tool in "$@"; do
    printf '%-20s %14.3f %14.0f %12.0f\n' "$tool" "$(median "$name" "$tool" 1)" \
      "$(median "$name" "$tool" 2)" "$(median "$name" "$tool" 3)"
  done
}

bar() { # what, value, "<=" or ">=", bar, unit
  awk -v w="$1" -v v="$2" -v o="$3" -v b="$4" -v u="${5:-}" 'BEGIN {
    if (v ~ /nan/) { printf "  %-62s not measured (bar %s %s%s)\n", w, o, b, u; exit }
    good = o == "<=" ? v <= b : v >= b
    printf "  %-62s %8.3f%s  bar %s %s%s  %s\n", w, v, u, o, b, u, good ? "reached" : "MISSED" }'
}
ratio() {
  awk -v a="$1" -v b="$2" 'BEGIN {print (a ~ /nan/ || b ~ /nan/ || b == 0) ? "nan" : a / b}'
}

cpu() {
  local p n limit
  for p in 1 16; do
    n=$n1 limit=1.10
    ((p == 16)) && n=$n16 limit=1.25
    series "pipeline-$p" "$n" $p $keys floor vbench "${peers[@]}"
    bar "client CPU a request against the floor, pipeline $p" \
      "$(ratio "$(median "pipeline-$p" vbench 1)" "$(median "pipeline-$p" floor 1)")" "<=" $limit
    bar "client CPU a request against redis-benchmark, pipeline $p" \
      "$(ratio "$(median "pipeline-$p" vbench 1)" "$(median "pipeline-$p" redis-benchmark 1)")" \
      "<=" 0.65
  done
}

one-key() {
  series one-key "$n1" 1 1 floor vbench "${peers[@]}"
  bar "throughput with one key against redis-benchmark" \
    "$(ratio "$(median one-key vbench 2)" "$(median one-key redis-benchmark 2)")" ">=" 1.5
}

lua() {
  local what limit
  for ((i = 0; i < rounds; i++)); do
    for what in literal number string on_reply; do
      client "$build/vbench" tests/bench/lua-cost.lua -p "$port" -c 50 -P 16 --threads 1 -r $keys \
        --no-baseline -q --what=$what -n "$n16" >"$work/out" 2>&1 ||
        { tail -n 3 "$work/out" >&2; continue; }
      awk -v n="$n16" '{print ($2 + $3) * 1e6 / n}' "$work/cost" >>"$work/lua.$what"
    done
  done
  printf '\nlua-cost (pipeline 16): us of CPU a request: literal %s\n' "$(median lua literal 1)"
  for what in number:0.08 string:0.20 on_reply:0.06; do
    limit=${what#*:} what=${what%:*}
    bar "added by Lua: $what" "$(awk -v a="$(median lua "$what" 1)" -v b="$(median lua literal 1)" \
      'BEGIN {print (a ~ /nan/ || b ~ /nan/) ? "nan" : a - b}')" "<=" "$limit" " us"
  done
}

flow() {
  local what
  for ((i = 0; i < rounds; i++)); do
    for what in plain call argument reply; do
      client "$build/vbench" tests/bench/flow-cost.lua -p "$port" -c 50 --threads 1 -r $keys \
        --no-baseline -q --what=$what --calls="$n1" >"$work/out" 2>&1 ||
        { tail -n 3 "$work/out" >&2; continue; }
      awk -v n="$n1" '{print ($2 + $3) * 1e6 / n}' "$work/cost" >>"$work/flow.$what"
    done
  done
  printf '\nflow-cost (pipeline 1): us of CPU a request: plain %s\n' "$(median flow plain 1)"
  for what in call reply argument; do
    bar "added by a step of a flow: $what" "$(awk -v a="$(median flow "$what" 1)" \
      -v b="$(median flow plain 1)" 'BEGIN {print (a ~ /nan/ || b ~ /nan/) ? "nan" : a - b}')" \
      "<=" 0.15 " us"
  done
}

peak_kb() { # connections
  client "$build/vbench" -p "$port" "${settings[@]}" -t set -n 200000 -r $keys -c "$1" -P 1 \
    --threads 1 --no-baseline -q >"$work/out" 2>&1 ||
    { tail -n 3 "$work/out" >&2; echo nan; return; }
  awk '{print $4}' "$work/cost"
}

memory() {
  local few many
  ulimit -n "$(ulimit -Hn)"
  few=$(peak_kb 100) many=$(peak_kb 10000)
  echo
  bar "memory a connection (peak of 10 000 less peak of 100)" \
    "$(awk -v a="$many" -v b="$few" \
      'BEGIN {print (a ~ /nan/ || b ~ /nan/) ? "nan" : (a - b) / 9900}')" "<=" 16 " KB"
}

start() {
  for ((i = 0; i < rounds; i++)); do
    client "$build/vbench" -p "$port" -t ping -n 1 -c 1 --threads 1 --no-baseline -q \
      >"$work/out" 2>&1 || { tail -n 3 "$work/out" >&2; continue; }
    awk '{print $1 * 1000}' "$work/cost" >>"$work/start.vbench"
  done
  echo
  bar "a whole run of one request with --no-baseline" "$(median start vbench 1)" "<=" 50 " ms"
}

tls() {
  local few many
  [[ -n $has_tls ]] || { echo "no TLS in $server, or no openssl program: left out"; return 0; }
  settings=(--tls --cacert "$work/cert.pem") port=$((port + 1))
  series tls-16 "$n16" 16 $keys vbench "${peers[@]}"
  bar "TLS: client CPU a request against redis-benchmark, pipeline 16" \
    "$(ratio "$(median tls-16 vbench 1)" "$(median tls-16 redis-benchmark 1)")" "<=" 0.9
  few=$(peak_kb 100) many=$(peak_kb 2000)
  bar "TLS: memory a connection (peak of 2 000 less peak of 100)" \
    "$(awk -v a="$many" -v b="$few" \
      'BEGIN {print (a ~ /nan/ || b ~ /nan/) ? "nan" : (a - b) / 1900}')" "<=" 40 " KB"
  settings=() port=$((port - 1))
}

# How exactly an open loop keeps its rate, and what it adds.
open-loop() {
  local name
  for ((i = 0; i < rounds; i++)); do
    client "$build/vbench" tests/bench/open-loop.lua -p "$port" -c 50 --threads 1 -r $keys \
      --no-baseline -q >"$work/out" 2>&1 || { tail -n 3 "$work/out" >&2; continue; }
    for name in achieved added_us unaccounted; do
      awk -v n=$name '$1 == "result" && $2 == n {print $3}' "$work/out" >>"$work/open.$name"
    done
  done
  echo
  bar "open loop at half of the capacity: rate achieved, >= 0.995" "$(median open achieved 1)" \
    ">=" 0.995
  bar "open loop at a tenth: response p50 less service p50" "$(median open added_us 1)" \
    "<=" 10 " us"
  bar "open loop at 1.5 times the capacity: operations not accounted for" \
    "$(median open unaccounted 1 | awk '{print $1 < 0 ? -$1 : $1}')" "<=" 0
}

# Loading 768-d float32 records of 3 KB: vbench's own figure, without its start-up, against a loop
# that copies the same records from the same mapping. And what reading costs.
dataset() {
  local p records=${RECORDS:-100000}
  head -c $((records * 3072)) /dev/urandom >"$work/vectors.bin"
  printf '%s\n' "version: 1" "record: { fields: [ { name: v, type: vector, dimensions: 768 } ] }" \
    "sections: { records: { count: $records }, keys: { present: false, pattern: 'vec:%012d' } }" \
    >"$work/vectors.yaml"
  for ((i = 0; i < rounds; i++)); do
    for p in 1 16; do
      client "$build/bench/bench_floor_records" "$port" "$work/vectors.bin" "$records" 3072 50 $p |
        sed -E 's/.*, ([0-9.]+) us CPU.*/\1/' >>"$work/records-$p.floor"
      client "$build/vbench" -t schema-load --dataset "$work/vectors" -p "$port" -c 50 -P $p \
        --threads 1 --no-baseline -q --json "$work/records.json" >/dev/null
      grep -oE '"cpu_us_per_request": ?[0-9.]+' "$work/records.json" | head -n 1 |
        grep -oE '[0-9.]+$' >>"$work/records-$p.vbench"
    done
  done
  echo
  for p in 1 16; do
    bar "HSET of 3 KB from a dataset: CPU against the floor, pipeline $p" \
      "$(ratio "$(median records-$p vbench 1)" "$(median records-$p floor 1)")" "<=" \
      $([[ $p == 1 ]] && echo 1.2 || echo 1.25)
  done
  "$build/bench/bench_dataset" >"$work/reading"
  bar "a random field of a mapped dataset, in cache" \
    "$(awk '/^a tag/ {print $(NF - 1)}' "$work/reading")" "<=" 10 " ns"
  bar "opening a dataset of a terabyte" "$(awk '/^opening/ {print $(NF - 1)}' "$work/reading")" \
    "<=" 5 " ms"
}

# A tracked load of claimed ids against one of ids in order: the ratio inside each round.
claims() {
  local what cost
  for ((i = 0; i < rounds; i++)); do
    declare -A cost=()
    for what in sequential claimed; do
      client "$build/vbench" tests/bench/claim-cost.lua -p "$port" -c 50 -P 16 --threads 1 \
        --no-baseline -q --what=$what --ids="$n16" --json "$work/claims.json" >"$work/out" 2>&1 ||
        { tail -n 3 "$work/out" >&2; continue 2; }
      cost[$what]=$(grep -oE '"cpu_us_per_request": ?[0-9.]+' "$work/claims.json" |
        head -n 1 | grep -oE '[0-9.]+$')
      echo "${cost[$what]}" >>"$work/claims.$what"
    done
    ratio "${cost[claimed]}" "${cost[sequential]}" >>"$work/claims.ratio"
  done
  printf '\nclaims (pipeline 16): us of CPU a request: claimed %s, sequential %s\n' \
    "$(median claims claimed 1)" "$(median claims sequential 1)"
  bar "a claimed and tracked load against sequential ids: client CPU" "$(median claims ratio 1)" \
    "<=" 1.1
}

parts=("$@")
((${#parts[@]})) || parts=(cpu one-key lua flow memory start tls open-loop dataset
  claims)
for part in "${parts[@]}"; do
  case $part in
    cpu | one-key | lua | flow | memory | start | tls | open-loop | dataset | claims) ;;
    *) sed -n '2,11p' "$0" >&2; exit 2 ;;
  esac
done
[[ -x $build/bench/bench_floor ]] || { echo "build first: $build has no bench_floor" >&2; exit 0; }
peers=()
for tool in redis-benchmark valkey-benchmark memtier_benchmark; do
  if has $tool; then peers+=($tool); fi
done
has redis-benchmark || echo "redis-benchmark is not installed: what compares with it is left out"
start_server
"$server" --version
for part in "${parts[@]}"; do "$part"; done
