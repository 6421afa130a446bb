#!/usr/bin/env bash
# Makes a Redis 8 that runs beside the system's own: packages of Debian 13, unpacked into a cache
# and run with their own loader and libraries. Installs nothing. Run again, it does nothing.
# usage: get-redis8.sh      prints the directory that holds redis-server, redis-cli, redis-benchmark
# Exits 3, saying why, where it cannot be had (no apt, no network, no keys of Debian).
# VBENCH_REDIS8_DIR changes the place (default ${XDG_CACHE_HOME:-~/.cache}/vbench/redis8).
set -euo pipefail

cache=${VBENCH_REDIS8_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/vbench/redis8}
keys=/usr/share/keyrings/debian-archive-keyring.gpg
cannot() { echo "get-redis8: $*" >&2; exit 3; }

if [[ -x $cache/bin/redis-server ]] && "$cache/bin/redis-server" --version >/dev/null 2>&1; then
  echo "$cache/bin"
  exit 0
fi
command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || cannot "needs apt and dpkg"
[[ -r $keys ]] || cannot "$keys is missing (package debian-archive-keyring)"

mkdir -p "$cache"
exec 9>"$cache/lock"
flock 9
rm -rf "${cache:?}"/{apt,root,bin}
mkdir -p "$cache"/apt/{lists/partial,archives/partial,etc/sources.list.d,etc/preferences.d} \
  "$cache"/{root,bin}
: >"$cache/apt/status"

# The mirror that this machine uses already, so that a site's own mirror is respected.
mirror=$(apt-get indextargets --format '$(REPO_URI) $(ORIGIN) $(LABEL)' 2>/dev/null |
  awk '$3 == "Debian" && $2 == "Debian" {print $1; exit}')
echo "deb [signed-by=$keys] ${mirror:-http://deb.debian.org/debian} trixie main" \
  >"$cache/apt/etc/sources.list"

private=(-q -o APT::Update::Error-Mode=any -o Dir::Etc::sourcelist="$cache/apt/etc/sources.list"
  -o Dir::Etc::sourceparts="$cache/apt/etc/sources.list.d"
  -o Dir::Etc::preferencesparts="$cache/apt/etc/preferences.d"
  -o Dir::Etc::preferences=/dev/null
  -o Dir::State::lists="$cache/apt/lists" -o Dir::State::status="$cache/apt/status"
  -o Dir::Cache::archives="$cache/apt/archives" -o Dir::Cache::pkgcache=""
  -o Dir::Cache::srcpkgcache=""
  -o Acquire::Languages=none -o APT::Sandbox::User=root -o APT::Install-Recommends=false
  -o Debug::NoLocking=true)
apt-get "${private[@]}" update >"$cache/apt/log" 2>&1 || cannot "$(tail -n 2 "$cache/apt/log")"
# With an empty dpkg status apt resolves the whole set that the program needs, libc included.
apt-get "${private[@]}" install -y --download-only redis-tools >>"$cache/apt/log" 2>&1 ||
  cannot "$(tail -n 2 "$cache/apt/log")"
for package in "$cache"/apt/archives/*.deb; do dpkg-deb -x "$package" "$cache/root"; done
rm -rf "$cache/apt/archives" "$cache/apt/lists"

loader=$(find "$cache/root" -name 'ld-linux-*.so.*' | head -n 1)
libraries=$(find "$cache/root" -name 'lib*.so.*' -exec dirname {} + | sort -u | paste -sd:)
# redis-server is redis-check-rdb by another name: it looks at argv[0].
for program in redis-server redis-cli redis-benchmark; do
  file=$program
  [[ $program == redis-server ]] && file=redis-check-rdb
  printf '#!/bin/sh\nexec %q --argv0 %s --library-path %q %q "$@"\n' "$loader" "$program" \
    "$libraries" "$cache/root/usr/bin/$file" >"$cache/bin/$program"
  chmod +x "$cache/bin/$program"
done
"$cache/bin/redis-server" --version >/dev/null || cannot "redis-server does not start"
echo "$cache/bin"
