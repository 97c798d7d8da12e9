#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every crash point of an endpoint is a case of crash_labels.c, and each case's label is a crash
# point. Usage: crash_labels.sh PROGRAM
set -u

program=$1
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

grep -rhoE 'LAM_CRASH_POINT\("[^"]+"\)' "$LAMINA_SOURCE/layer1-framed/src/endpoint" |
    cut -d'"' -f2 | sort -u >"$work/points"
"$program" --list | sort -u >"$work/cases"
if ! diff "$work/points" "$work/cases"; then
    echo "< is a crash point that no case kills at; > is a case that no process comes by"
    exit 1
fi
echo "$(wc -l <"$work/points") crash points, each with a case"
