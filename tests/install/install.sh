#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# install.sh BUILD COMPONENT...: the package that this build installs serves a user who has nothing
# else: by find_package() in C and C++, one component or all, without pkg-config where the component
# needs no other package; by pkg-config; and it refuses, in words, what it does not hold.
set -euo pipefail

build_tree=$1
shift
components=("$@")
consumer=$(dirname "$(readlink -f "$0")")/consumer
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
failures=0

complain() {
    echo "$1"
    tail -n 20 log
    failures=$((failures + 1))
}

# configure FOLDER COMPONENTS [-D...]
configure() {
    local folder=$1 want=$2

    shift 2
    cmake -G Ninja -S "$consumer" -B "$folder" -DCMAKE_PREFIX_PATH="$scratch/prefix" \
        "-DWANT=$want" "$@" >log 2>&1
}

# uses FOLDER COMPONENTS [-D...]: configures, builds and runs.
uses() {
    local folder=$1 program

    if ! configure "$@"; then
        complain "$folder: does not configure"
        return
    fi
    if ! cmake --build "$folder" >log 2>&1; then
        complain "$folder: does not build"
        return
    fi
    for program in "$folder"/*_c "$folder"/*_cxx; do
        "$program" >log 2>&1 || complain "${program} ended with $?"
    done
}

# Moved after the installation, because nothing in it may hold the path that it was installed to.
cmake --install "$build_tree" --prefix "$scratch/staged" >log 2>&1 || complain "does not install"
mv staged prefix

uses ring_alone ring -DCMAKE_DISABLE_FIND_PACKAGE_PkgConfig=ON
uses all "$(IFS=';'; echo "${components[*]}")"
if [[ " ${components[*]} " == *" codecs "* && ! -x all/types_c ]]; then
    complain "no types were made by lamina_generate()"
fi

if configure unknown 'ring;rings'; then complain "an unknown component is found"; fi
tr -s ' \n' ' ' <log | grep -qF "has no component 'rings'; it has: base, ring" ||
    complain "an unknown component is refused without the list of those there are"
sed 's/find_package(lamina 0\.1/find_package(lamina 0.2/' "$consumer/CMakeLists.txt" >newer.txt
mkdir newer && mv newer.txt newer/CMakeLists.txt && cp "$consumer"/*.c* newer/
if consumer=$scratch/newer configure newer_build ring; then
    complain "another minor version fits"
fi

# pkg-config: each file names what it needs, so that one name is enough.
PKG_CONFIG_PATH=$(dirname "$(find prefix -name lamina-ring.pc)"):${PKG_CONFIG_PATH:-}
export PKG_CONFIG_PATH
for component in "${components[@]}"; do
    pkg-config --print-errors --exists "lamina-$component = 0.1.0" >log 2>&1 ||
        complain "pkg-config does not know lamina-$component"
done
# shellcheck disable=SC2046 # a list of words
cc -std=c11 "$consumer/roundtrip.c" -o by_pkg_config $(pkg-config --cflags --libs lamina-ring) \
    >log 2>&1 || complain "does not build by pkg-config"
./by_pkg_config >log 2>&1 || complain "built by pkg-config, it ended with $?"

[[ $failures == 0 ]] && echo "installed, found and used: ${components[*]}"
exit $((failures > 0))
