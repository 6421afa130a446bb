#!/usr/bin/env bash
# Measures how fast `vbench dataset import` reads files, beside `cp` of the same bytes, and how many
# JSON Lines a second one core reads. Files lie in memory (/dev/shm), so that CPU seconds, user and
# system, are the speed; tools take turns, medians of the rounds. Never fails a build. Needs Python
# with NumPy to make the files.
# usage: tests/bench/import.sh
#   ROUNDS (7), VECTORS (1000000 of 128 float32), LINES (500000), BUILD (build)
set -euo pipefail
cd "$(dirname "$0")/../.."
rounds=${ROUNDS:-7} vectors=${VECTORS:-1000000} lines=${LINES:-500000}
vbench=$PWD/${BUILD:-build}/vbench
work=$(mktemp -d -p /dev/shm)
trap 'rm -rf "$work"' EXIT

for python in python3 /usr/bin/python3 none; do
  $python -c 'import numpy' 2>/dev/null && break
done
[[ $python != none ]] || { echo "NumPy is not installed: nothing is measured"; exit 0; }
cd "$work"
$python - "$vectors" "$lines" <<'MAKE'
import json, sys
import numpy as np
vectors, lines = int(sys.argv[1]), int(sys.argv[2])
a = np.random.default_rng(1).normal(size=(vectors, 128)).astype("<f4")
np.save("b.npy", a)
with open("b.fbin", "wb") as f: f.write(np.array(a.shape, "<u4").tobytes()); a.tofile(f)
rows = np.empty((vectors, 129), "<f4")
rows[:, 0], rows[:, 1:] = np.array([128], "<i4").view("<f4"), a
rows.tofile("b.fvecs")
with open("b.jsonl", "w") as f:
    for i in range(lines):
        f.write(json.dumps({"id": "product-%09d" % i, "title": "A thing called %d, in red" % i,
                            "category": "cat-%d" % (i % 17), "price": i * 0.37,
                            "text": "x" * 75}) + "\n")
MAKE
cat >s.yaml <<'SCHEMA'
version: 1
record:
  fields:
    - { name: title, type: text, max_bytes: 64 }
    - { name: category, type: tag, max_bytes: 16 }
    - { name: price, type: numeric }
    - { name: text, type: text, max_bytes: 96 }
sections: { records: { count: 1 }, keys: { present: true, max_bytes: 32 } }
SCHEMA

TIMEFORMAT='%U %S'
seconds() { # file to add to, command
  local to=$1 cost
  shift
  cost=$({ time taskset -c 1 "$@" >/dev/null; } 2>&1)
  awk '{print $1 + $2}' <<<"$cost" >>"$to"
}
median() { sort -g "$1" | awk '{v[NR] = $1} END {print v[int((NR + 1) / 2)]}'; }
bar() { # what, value, bar, unit
  awk -v w="$1" -v v="$2" -v b="$3" -v u="$4" 'BEGIN {
    printf "  %-62s %10.2f%s  bar >= %s%s  %s\n", w, v, u, b, u, (v >= b ? "reached" : "MISSED")}'
}

for ((i = 0; i < rounds; i++)); do
  for kind in npy fbin fvecs; do
    rm -f out.* copy
    seconds "cp.$kind" cp "b.$kind" copy
    rm -f copy
    seconds "import.$kind" "$vbench" dataset import "b.$kind" -o out -q
  done
  rm -f out.*
  seconds jsonl "$vbench" dataset import b.jsonl --schema s.yaml --key-field id -o out -q
done
for kind in npy fbin fvecs; do
  share=$(awk -v a="$(median "cp.$kind")" -v b="$(median "import.$kind")" 'BEGIN {print a / b}')
  bar "import of .$kind: speed, of that of cp" "$share" 0.7 ""
done
bar "import of JSON Lines ($(head -n 1 b.jsonl | wc -c) B, 5 fields): lines a second a core" \
  "$(awk -v n="$lines" -v s="$(median jsonl)" 'BEGIN {print n / s}')" 300000 ""
