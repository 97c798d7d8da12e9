#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# options.sh SOURCE: floors can be left out, and their packages with them. The lowest two are
# configured and built where pkg-config does not exist, and a program that links them needs libc
# alone; options that contradict each other are refused with the way out.
set -euo pipefail

source_tree=$1
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
failures=0

complain() {
    echo "$1"
    tail -n 15 log
    failures=$((failures + 1))
}

# configure FOLDER -D...: without pkg-config, and with nothing but what is asked for.
configure() {
    local folder=$1

    shift
    cmake -G Ninja -S "$source_tree" -B "$folder" -DCMAKE_BUILD_TYPE=Release \
        -DCMAKE_DISABLE_FIND_PACKAGE_PkgConfig=ON -DPKG_CONFIG_EXECUTABLE=/nonexistent \
        -DLAMINA_WITH_CODECS=OFF -DLAMINA_WITH_TYPED=OFF -DLAMINA_WITH_TOPOLOGY=OFF \
        -DLAMINA_WITH_RUNTIME=OFF -DLAMINA_WITH_SEQUENCER=OFF -DLAMINA_WITH_TESTS=OFF "$@" \
        >log 2>&1
}

# needs_libc_alone FOLDER ARCHIVE...: whole archives, linked with no library named.
needs_libc_alone() {
    local folder=$1 libraries

    shift
    echo 'int main(void) { return 0; }' >main.c
    cc main.c -o whole -Wl,--whole-archive "$@" -Wl,--no-whole-archive >log 2>&1 ||
        complain "$folder: does not link with libc alone"
    ldd whole >log
    libraries=$(awk '$1 !~ /^(linux-vdso|libc\.so|\/lib|\/usr)/ { print $1 }' log)
    [[ -z $libraries ]] || complain "$folder: needs more than libc: $libraries"
}

configure ring -DLAMINA_WITH_FRAMED=OFF || complain "base and ring alone do not configure"
cmake --build ring >log 2>&1 || complain "base and ring alone do not build"
needs_libc_alone ring ring/layer0-ring/liblamina-ring.a ring/layer0-ring/base/liblamina-base.a

configure framed || complain "base, ring and framed do not configure"
cmake --build framed >log 2>&1 || complain "base, ring and framed do not build"
mapfile -t archives < <(find framed -name 'liblamina-*.a')
needs_libc_alone framed "${archives[@]}"

# A later -D wins over the earlier one of configure().
refused() {
    local pattern=$1

    shift
    if configure refused "$@"; then complain "not refused: $*"; fi
    tr -s ' \n' ' ' <log | grep -qF -- "$pattern" || complain "does not say \"$pattern\": $*"
    rm -rf refused
}
refused 'LAMINA_WITH_TYPED=ON stands on LAMINA_WITH_CODECS, which is OFF' -DLAMINA_WITH_TYPED=ON
refused 'or -DLAMINA_WITH_TYPED=OFF to leave both out' \
    -DLAMINA_WITH_TYPED=ON -DLAMINA_WITH_CODECS=ON -DLAMINA_WITH_FRAMED=OFF
refused 'LAMINA_WITH_TOPOLOGY=ON stands on LAMINA_WITH_TYPED' -DLAMINA_WITH_TOPOLOGY=ON
refused 'LAMINA_WITH_RUNTIME=ON stands on LAMINA_WITH_TOPOLOGY' -DLAMINA_WITH_RUNTIME=ON
refused 'LAMINA_WITH_SEQUENCER=ON stands on LAMINA_WITH_FRAMED' \
    -DLAMINA_WITH_SEQUENCER=ON -DLAMINA_WITH_FRAMED=OFF

[[ $failures == 0 ]] && echo "floors can be left out, and their packages with them"
exit $((failures > 0))
