#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every crash point of messages and frames is a case of frames_crash.c, each case's label is a crash
# point, and there are at least 15. Usage: frames_crash_labels.sh PROGRAM
set -u

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

grep -hoE 'LAM_CRASH_POINT\("[^"]+"\)' "$LAMINA_SOURCE"/layer1-framed/src/*.[ch] \
    "$LAMINA_SOURCE"/layer1-framed/src/many/*.c | cut -d'"' -f2 | sort -u >"$work/points"
"$1" --list | sort -u >"$work/cases"
if ! diff "$work/points" "$work/cases"; then
    echo "< is a crash point that no case kills at; > is a case that no process comes by"
    exit 1
fi
[ "$(wc -l <"$work/points")" -ge 15 ]
