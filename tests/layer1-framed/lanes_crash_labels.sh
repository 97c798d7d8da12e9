#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every crash point of the lanes is a case of lanes_crash.c, and each case's label is a crash point.
# Usage: lanes_crash_labels.sh PROGRAM
set -u

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

grep -rhoE 'LAM_CRASH_POINT\("[^"]+"\)' "$LAMINA_SOURCE/layer1-framed/src/lanes" |
    cut -d'"' -f2 | sort -u >"$work/points"
"$1" --list | sort -u >"$work/cases"
diff "$work/points" "$work/cases" && [ "$(wc -l <"$work/points")" -ge 4 ]
