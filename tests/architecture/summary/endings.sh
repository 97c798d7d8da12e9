#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# endings.sh ENDING: a plain program that ends in that way.
case $1 in
passes) exit 0 ;;
fails)
    echo "line 0 is not told"
    for line in 1 2 3 4 5 6 7 8 9 10 11; do printf 'line %s <is>\n\n' $line; done
    printf '%0200d\n' 0
    exit 1
    ;;
crashes) kill -SEGV $$ ;;
hangs) sleep 5 ;;
skips)
    echo "at work"
    printf 'skipped: no <data> & no "time"\n\n'
    exit 77
    ;;
skips_silently) exit 77 ;;
passes_with_a_report) echo "a.c:1:2: runtime error: shift of 33" ;;
esac
