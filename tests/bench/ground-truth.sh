#!/usr/bin/env bash
# Measures ground truth beside NumPy, both on one thread, interleaved, medians of the rounds. Never
# fails a build.
# usage: tests/bench/ground-truth.sh [RECORDS DIMENSIONS QUERIES NEIGHBORS]
#   ROUNDS (3), BUILD (build), PYTHON (the first python3 that has NumPy)
set -euo pipefail
cd "$(dirname "$0")/../.."
sizes=(100000 128 1000 100)
(($# == 0)) || sizes=("$@")
rounds=${ROUNDS:-3} build=${BUILD:-build} work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python=${PYTHON:-}
for program in python3 /usr/bin/python3; do
  [[ -n $python ]] || ! $program -c 'import numpy' 2>/dev/null || python=$program
done
[[ -n $python ]] || { echo "no NumPy: nothing to compare with"; exit 0; }
blas=$("$python" -c "import numpy, re
print(*sorted(set(re.findall('openblas|mkl|blis|libblas', open('/proc/self/maps').read()))))")

median() { sort -n | awk '{a[NR] = $1} END {print a[int((NR + 1) / 2)]}'; }
for ((i = 0; i < rounds; i++)); do
  "$build/bench/bench_truth" "$work" "${sizes[@]}" >>"$work/vbench"
  "$python" tests/bench/ground_truth.py "$work" "${sizes[1]}" "${sizes[3]}" >>"$work/numpy"
done
ours=$(cut -d' ' -f1 "$work/vbench" | median)
products=$(cut -d' ' -f1 "$work/numpy" | median) all=$(cut -d' ' -f2 "$work/numpy" | median)
printf 'ground truth, %d x %d float32, %d queries, k %d, l2, one thread (%s)\n' "${sizes[@]}" \
  "$(tail -n 1 "$work/vbench" | cut -d' ' -f2)"
printf '  vbench            %8.3f s\n  NumPy             %8.3f s   (%s)\n' "$ours" "$all" \
  "${blas:-no BLAS}"
printf '  its products alone%8.3f s\n' "$products"
awk -v a="$ours" -v b="$all" -v c="$products" 'BEGIN {
  printf "  vbench / NumPy    %8.3f   (bar: 1)\n  vbench / products %8.3f\n", a / b, a / c }'
printf '  ids that differ   %8s of float32 rounding\n' "$(tail -n 1 "$work/numpy" | cut -d' ' -f3)"
