#!/usr/bin/env bash
# Installs what vbench needs, with the system's package manager, and says what it installs.
# usage: install-deps.sh [--build | --test | --all]
#   --build   what building and running needs (a compiler, CMake, LuaJIT, hiredis, OpenSSL, zlib,
#             libyaml, HDF5, a server)
#   --test    that, and what tests/run.sh needs (cmocka, busted, clang-format, NumPy, h5py,
#             more servers)
#   --all     the same as --test; the default
# Needs root or sudo (not for brew). Asks nothing. Starts no service: what vbench needs a server
# for, it starts by itself on a port of its own.
set -euo pipefail

say() { printf 'install-deps: %s\n' "$*"; }
die() { say "$*" >&2; exit 1; }

as_root() {
  if [[ $(id -u) == 0 ]]; then "$@"
  elif command -v sudo >/dev/null; then sudo "$@"
  else die "neither root nor sudo: run this as root: $*"; fi
}

# Lua modules that LuaJIT does not find, from a list of luarocks names and module names.
missing_rocks() {
  local pair
  for pair in "$@"; do
    luajit -e "require '${pair#*:}'" >/dev/null 2>&1 || echo "${pair%%:*}"
  done
}

# Managers without packages of the Lua modules for Lua 5.1: luarocks builds them for LuaJIT.
install_rocks() {
  local rocks rock include
  rocks=$(missing_rocks "$@")
  [[ -n $rocks ]] || return 0
  include=$(pkg-config --variable=includedir luajit)
  for rock in $rocks; do
    say "luarocks: $rock"
    "${rocks_as[@]}" luarocks --lua-version 5.1 install "$rock" LUA_INCDIR="$include"
  done
}

# A package that starts a service when it is installed must not do so here: its port may be
# somebody's.
apt_quietly() {
  local policy=/usr/sbin/policy-rc.d
  if [[ ! -e $policy ]]; then
    trap "as_root rm -f $policy" EXIT
    printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
    as_root chmod +x "$policy"
  fi
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@"
}

apt_has() { [[ $(apt-cache policy "$1" 2>/dev/null | awk '/Candidate:/ {print $2}') =~ ^[0-9] ]]; }
apt_installed() { dpkg-query -W -f '${Status}' "$1" 2>/dev/null | grep -q 'ok installed'; }

# Debian 12 has valkey in its backports only: a source of its own, from the mirror already in use.
apt_add_backports() {
  local codename mirror file=/etc/apt/sources.list.d/vbench-backports.sources
  codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
  [[ $codename == bookworm ]] || return 1
  mirror=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE)' |
    awk -v want="$codename" '$2 == want && /debian/ {print $1; exit}')
  [[ -n $mirror && ! -e $file ]] || return 1
  say "adding $codename-backports of $mirror ($file)"
  printf 'Types: deb\nURIs: %s\nSuites: %s-backports\nComponents: main\nSigned-By: %s\n' \
    "$mirror" "$codename" /usr/share/keyrings/debian-archive-keyring.gpg |
    as_root tee "$file" >/dev/null
  as_root apt-get update -q
}

apt_install() {
  local package wanted=() fresh=()
  for package in "$@"; do apt_installed "$package" || wanted+=("$package"); done
  ((${#wanted[@]})) || { say "apt: nothing is missing of: $*"; return 0; }
  say "apt: ${wanted[*]}"
  for package in redis-server valkey-server; do
    apt_installed "$package" || fresh+=("$package")
  done
  apt_quietly "${wanted[@]}"
  for package in "${fresh[@]}"; do # not at the next boot either
    apt_installed "$package" && as_root update-rc.d "$package" disable >/dev/null 2>&1 || true
  done
}

with_apt() {
  local build=(gcc libc6-dev make cmake pkg-config luajit libluajit-5.1-dev libhiredis-dev
    libssl-dev zlib1g-dev libyaml-dev libhdf5-dev lua-argparse lua-cjson lua-cjson-dev)
  local tests=(libcmocka-dev lua-busted lua-ldoc clang-format python3 python3-numpy
    python3-h5py python3-yaml redis-server redis-tools
    openssl util-linux procps)
  local package missing=0
  for package in "${build[@]}"; do apt_installed "$package" || missing=1; done
  [[ $what == build && $missing == 0 ]] || as_root apt-get update -q
  if [[ $what == build ]]; then
    have_server || { apt_has valkey-server && build+=(valkey-server) || build+=(redis-server); }
    apt_install "${build[@]}"
    return
  fi
  if ! command -v valkey-server >/dev/null; then
    apt_has valkey-server || apt_add_backports || true
    if apt_has valkey-server; then tests+=(valkey-server valkey-tools)
    else say "no package of valkey here: tests against it will be skipped"; fi
  fi
  apt_install "${build[@]}" "${tests[@]}"
}

have_server() { command -v valkey-server >/dev/null || command -v redis-server >/dev/null; }

with_dnf() {
  local packages=(gcc make cmake pkgconf-pkg-config luajit luajit-devel hiredis-devel openssl-devel
    zlib-devel libyaml-devel hdf5-devel luarocks unzip)
  have_server || packages+=(valkey)
  [[ $what == build ]] || packages+=(libcmocka-devel clang-tools-extra openssl libasan libubsan
    libtsan util-linux procps-ng python3-numpy python3-h5py
    python3-pyyaml)
  say "dnf: ${packages[*]}"
  as_root dnf install -y "${packages[@]}"
}

with_pacman() {
  local packages=(gcc make cmake pkgconf luajit hiredis openssl zlib libyaml hdf5 luarocks unzip)
  have_server || packages+=(valkey)
  [[ $what == build ]] || packages+=(cmocka python-numpy python-h5py clang util-linux procps-ng)
  say "pacman: ${packages[*]}"
  as_root pacman -Sy --needed --noconfirm "${packages[@]}"
}

with_apk() {
  local packages=(gcc musl-dev make cmake pkgconf bash linux-headers luajit luajit-dev hiredis-dev
    openssl-dev zlib-dev yaml-dev hdf5-dev luarocks5.1 unzip)
  have_server || packages+=(valkey)
  [[ $what == build ]] || packages+=(cmocka-dev openssl clang-extra-tools util-linux procps
    py3-numpy)
  say "apk: ${packages[*]}"
  as_root apk add "${packages[@]}"
  command -v luarocks >/dev/null || as_root ln -s luarocks-5.1 /usr/bin/luarocks
}

with_brew() {
  local packages=(gcc make cmake pkgconf luajit hiredis openssl zlib libyaml hdf5 luarocks)
  have_server || packages+=(valkey)
  [[ $what == build ]] || packages+=(cmocka numpy clang-format)
  say "brew: ${packages[*]}"
  brew install "${packages[@]}"
}

what=all
case ${1:---all} in
  --build) what=build ;;
  --test | --all) ;;
  *) sed -n '2,11p' "$0" >&2; exit 2 ;;
esac

rocks_as=(as_root)
for manager in apt-get dnf pacman apk brew none; do
  command -v $manager >/dev/null && break
done
case $manager in
  apt-get) with_apt ;;
  dnf) with_dnf ;;
  pacman) with_pacman ;;
  apk) with_apk ;;
  brew) rocks_as=(); with_brew ;;
  none) die "no package manager that I know (apt, dnf, pacman, apk, brew); vbench needs a C11
  compiler, CMake 3.20, pkg-config, LuaJIT 2.1, hiredis 0.14, OpenSSL 3, zlib, libyaml, and for
  LuaJIT argparse and lua-cjson" ;;
esac
install_rocks argparse:argparse lua-cjson:cjson
[[ $what == build ]] || install_rocks busted:busted.runner
say "done"
