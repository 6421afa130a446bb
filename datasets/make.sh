#!/usr/bin/env bash
# Makes the datasets that ship with vbench, each by the command below: the same bytes every time.
# usage: datasets/make.sh [DIRECTORY]     by default the one that this file is in
#   VBENCH: the program (default: the one built or installed beside this directory, else on PATH)
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
words=$here/words.txt topics=$here/topics.txt # most frequent first; topics has no stop words
vbench=${VBENCH:-}
for program in "$here/../build/vbench" "$here/../../../bin/vbench" vbench; do
  [[ -n $vbench ]] || vbench=$(command -v "$program" || true)
done
[[ -n $vbench ]] || { echo "make.sh: no vbench: set VBENCH to the program" >&2; exit 1; }
vbench=$(realpath "$(command -v "$vbench")")
cd "${1:-$here}"

synth() { "$vbench" dataset synth --quiet "$@"; }

# Vectors in clusters, with queries and their nearest neighbours.
synth points-l2 --description "clustered vectors, l2" --vector embedding=64 --metric l2 \
  --clusters 24 --noise 0.6 --records 1000 --queries 100 --neighbors 50 --distances \
  --key-pattern "vec:%012d" --seed 101
synth points-cosine --description "clustered vectors of length 1, cosine" --vector embedding=64 \
  --metric cosine --clusters 24 --noise 0.6 --records 1000 --queries 100 --neighbors 50 \
  --distances --key-pattern "vec:%012d" --seed 102

# A catalogue: every query asks for its own category, at its own price at most.
synth products --description "product catalogue; neighbours under each query's category and price" \
  --vector embedding=32 --metric cosine --clusters 12 --noise 0.5 \
  --text "title=2-5:48" --words "$topics" \
  --tag "category=electronics:30,clothing:25,books:20,kitchen:15,garden:7,toys:3" \
  --tag "colour=black:4,white:3,red:2,blue:2,green" \
  --numeric price=exponential:60:2 --numeric stock:int32=uniform:0:500 \
  --keys "product:" --records 1200 --queries 80 --query-fields embedding,category,price \
  --filter="category price<=" --neighbors 20 --seed 103

# For full text: queries hold words to look for.
synth articles --description "short articles for full text" \
  --text "title=3-8:64" --text "keywords=1-2:32" --text "body=30-110:640" --words "$words" \
  --words "keywords=$topics" --key-pattern "article:%06d" \
  --tag "section=world:4,science:3,sport:2,culture" \
  --numeric published:uint32=uniform:1262304000:1798761600:0 \
  --records 450 --queries 100 --query-fields keywords --seed 104

# One of each collection.
synth baskets --description "sets: what is in a shopping basket" --type set --text member=1-2:32 \
  --words "$topics" --members 1-12 --key-pattern "basket:%08d" --records 800 --seed 105
synth timelines --description "lists: posts, in their order" --type list --text member=3-9:64 \
  --words "$words" --members 1-10 --key-pattern "timeline:%08d" --records 400 --seed 106
synth leaderboards --description "sorted sets: players by score" --type zset \
  --text value=1-2:32 --words "$topics" --numeric score=exponential:1000:0 --members 3-20 \
  --key-pattern "board:%08d" --records 350 --seed 107

# Values of many lengths.
synth strings --description "strings of 1 to 510 bytes" --type string --text value=1-80:512 \
  --words "$words" --key-pattern "string:%08d" --records 600 --seed 108
