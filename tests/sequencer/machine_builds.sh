#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# machine_builds.sh SOURCE CC: one journal is applied by builds of different compilers, levels and
# with sanitizers; the digests along it, and the hash of all answers, must be the same.
set -uo pipefail

tree=$1
cc=$2
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
folder=$tree/tests/sequencer
sources=("$folder"/machine_{digests,app,records}.c "$tree"/sequencer/src/{hash,machine}/*.c
    "$tree"/layer0-ring/base/src/{crc32c,error}.c)
includes=(-I"$tree/sequencer/include" -I"$tree/sequencer/src" -I"$tree/tests/support"
    -I"$tree/layer0-ring/base/include" -I"$tree/layer0-ring/base/src")

# build NAME COMPILER FLAG...
build() {
    local name=$1

    shift
    "$@" -std=gnu11 -D_GNU_SOURCE "${includes[@]}" "${sources[@]}" -o "$work/$name" || exit 1
}

# same NAME: applies the journal as the first build did.
same() {
    "$work/$1" apply "$work/journal" >"$work/$1.said" || exit 1
    if ! cmp -s "$work/plain.said" "$work/$1.said"; then
        diff "$work/plain.said" "$work/$1.said" | head -5
        echo "the build $1 comes to another state"
        exit 1
    fi
    echo "$1: the same"
}

build plain "$cc" -O0
"$work/plain" make "$work/journal" || exit 1
"$work/plain" apply "$work/journal" >"$work/plain.said" || exit 1
[[ $(wc -l <"$work/plain.said") -ge 10 ]] || exit 1
build fast "$cc" -O3
same fast
build checked "$cc" -O1 -fsanitize=address,undefined -fno-sanitize-recover=undefined
same checked
# A build that goes astray is found: the comparison can fail.
sources[1]=$work/astray.c
sed 's/+= event\[2\] + state->wrong/+= event[2] + (count > 3)/' "$folder/machine_app.c" \
    >"$work/astray.c"
includes+=(-I"$folder")
build astray "$cc" -O0
if (same astray) >"$work/log"; then
    echo "a state that differs is not found"
    exit 1
fi
sources[1]=$folder/machine_app.c
clang=$(command -v clang || command -v clang-14) || {
    echo "no clang: its build is not compared; on Debian: apt-get install clang"
    exit 77
}
build clang "$clang" -O3
same clang
