#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every crash point of the ring is a case of crash_labels.c, each case's label is a crash point, and
# there are at least 40. Usage: crash_labels.sh PROGRAM
set -u

program=$1
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

grep -rhoE 'LAM_CRASH_POINT\("[^"]+"\)' "$LAMINA_SOURCE/layer0-ring" \
    "$LAMINA_SOURCE/tests/layer0-ring/crash" | cut -d'"' -f2 | sort -u >"$work/points"
"$program" --list | sort -u >"$work/cases"
if ! diff "$work/points" "$work/cases"; then
    echo "< is a crash point that no case kills at; > is a case that no process comes by"
    exit 1
fi
count=$(wc -l <"$work/points")
echo "$count crash points, each with a case"
[ "$count" -ge 40 ]
