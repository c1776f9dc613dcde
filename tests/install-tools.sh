#!/bin/sh
# Installs what single tests need besides what `tinynas doctor --fix` brings: by apt-get, as root or through sudo.
# Never fails: what cannot be had is named, and the tests that need it skip.

need() { # package, then commands or files: one of them tells that it is there
  package=$1
  shift
  for sign; do
    if command -v "$sign" >/dev/null 2>&1 || [ -e "$sign" ]; then return; fi
  done
  echo "$package"
}

missing() {
  need g++ g++                           # an exported library as C++
  need cmake cmake                       # its own build file
  need dfu-util dfu-util                 # its own words on damaged images
  need openocd openocd                   # the scripts that flash and read real boards
  need gcc-xtensa-lx106 xtensa-lx106-elf-gcc # the engine on a core that is no Arm
  need picolibc-xtensa-lx106-elf /usr/lib/xtensa-lx106-elf/include
  need postgresql initdb /usr/lib/postgresql/*/bin/initdb # a shared measurement store
}

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

install() {
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$@" >&2
}

packages=$(missing)
if [ -n "$packages" ] && command -v apt-get >/dev/null; then
  as_root apt-get update -qq >&2
  # shellcheck disable=SC2086 # one word per package
  install $packages || for package in $packages; do install "$package"; done # one that is unknown keeps back all
  packages=$(missing)
fi
[ -z "$packages" ] || echo "make: not installed, the tests that need them skip:" $packages >&2
