#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Who uses layer 0's inline calls as they are meant is warned of nothing, at any level of
# optimisation: a compiler that inlines them must see that what a call fills is filled.
#
# Usage: quiet_users.sh SOURCE_TREE CC FILE
set -u

tree=$1
cc=$2
file=$3
failed=0

for level in -O0 -Og -O1 -O2 -O3 -Os; do
    "$cc" -std=gnu11 "$level" -Wall -Wextra -Werror -I "$tree/layer0-ring/include" \
        -I "$tree/layer0-ring/base/include" -c "$file" -o /dev/null ||
        { echo "$level warns"; failed=1; }
done
[ "$failed" = 0 ] && echo "no level warns"
[ "$failed" = 0 ]
