#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The SPIN models of the ring: each holds in every order of its steps, and each of its wrong changes
# makes SPIN find an error.
#
# Usage: spin.sh CC; the cases are in the file beside this one.
#
# A search that does not come to its end (depth, memory, time) is an error, whatever it found.
set -u

cc=$1
here=$(dirname "$(readlink -f "$0")")
effort=${LAMINA_EFFORT:-1}
failed=0 held=0 refuted=0

command -v spin >/dev/null || {
    echo "skipped: spin is not installed, so its models are not checked; ./dev test installs it"
    exit 77
}
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

# search MODEL KIND MACRO...: prints "hold" or "fail", else what went wrong.
search() {
    model=$1 kind=$2
    shift 2
    rm -rf "$work/search"
    mkdir "$work/search"
    cd "$work/search" || return
    case $kind in
    safety) build='-DSAFETY' macros='' options='' ;;
    progress) build='-DNFAIR=3' macros='-DPROGRESS' options='-a -f' ;;
    *) echo "no such search: $kind"; return ;;
    esac
    # shellcheck disable=SC2086 # lists of words
    if ! spin -a $macros "$@" "$here/$model.pml" >log 2>&1 ||
        ! $cc -w -O1 $build -DCOLLAPSE -DMEMLIM=1000 -o pan pan.c >>log 2>&1; then
        echo "does not compile"
        cat log
        return
    fi
    # shellcheck disable=SC2086 # a list of words
    timeout 200 ./pan -m200000 $options >log 2>&1
    if grep -q 'errors: 1$' log; then
        echo fail
    elif grep -q 'errors: 0$' log && ! grep -Eq 'not completed|too small|MEMLIM' log; then
        echo hold
    else
        echo "comes to no end"
        tail -n 20 log
    fi
}

while IFS='|' read -r model least kind wanted macros; do
    case $model in '#'* | '') continue ;; esac
    [ "$((least))" -le "$effort" ] || continue
    # shellcheck disable=SC2086 # lists of words
    found=$(search $model $kind $macros)
    # shellcheck disable=SC2086 # a list of words
    set -- $model $kind $macros
    case "$found $(echo "$wanted" | tr -d ' ')" in
    'hold hold') held=$((held + 1)) what='holds  ' ;;
    'fail fail') refuted=$((refuted + 1)) what='refuted' ;;
    *) failed=$((failed + 1)) what="WRONG, must $(echo "$wanted" | tr -d ' '): $found" ;;
    esac
    echo "$what $*"
done <"$here/cases"

echo "$held searches hold, $refuted wrong changes are refuted, $failed went wrong"
[ "$failed" = 0 ] && [ "$held" -gt 0 ] && [ "$refuted" -gt 0 ]
