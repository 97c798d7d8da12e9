#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A weakened program must be reported by ThreadSanitizer: else the suite sees nothing.
# Usage: expect_race.sh PROGRAM
out=$(TSAN_OPTIONS="halt_on_error=1 exitcode=66" "$1" 2>&1)
code=$?
if [ "$code" = 66 ]; then
    echo "reported, as it must be"
    exit 0
fi
printf '%s\n' "$out" | tail -5
echo "$1: exit $code: the weakened store was not reported"
exit 1
