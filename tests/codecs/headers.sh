#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# headers.sh COMPILER SOURCE: what lamina-schema writes compiles alone and included twice, without a
# warning, in C11 and in C++14; is the same wherever it is made; and for official schemas
# (LAMINA_TEST_DATA/flatbuffers) it compiles too, or says at which line it is not supported.
set -eu

compiler=$1
source=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
mkdir out again
flags="-Wall -Wextra -Wpedantic -Wconversion -Werror -fsyntax-only
    -I$source/codecs/include -I$source/layer0-ring/base/include"
count=0

# compile FOLDER NAME: the header of NAME in FOLDER, as each compiler that there is sees it.
# shellcheck disable=SC2086 # flags, and the folder with more of them, are words
compile() {
    printf '#include "%s.h"\n#include "%s.h"\n' "$2" "$2" >unit.c
    cp unit.c unit.cc
    for c in cc gcc clang-14; do
        command -v $c >/dev/null && $c -std=c11 $flags -I$1 unit.c
    done
    for c in c++ g++ clang++-14; do
        command -v $c >/dev/null && $c -std=c++14 $flags -I$1 unit.cc
    done
    count=$((count + 1))
}

tests=$source/tests/codecs/schemas
for schema in "$tests/parts.fbs" "$tests/everything.fbs" "$source/codecs/examples/quote.fbs" \
    "$source/topology/examples/inference/inference.fbs"; do
    [ -e "$schema" ] || continue
    name=$(basename "$schema" .fbs)
    "$compiler" -o "out/$name.h" "$schema"
    compile out "$name"
    (cd again && "$compiler" "$(realpath --relative-to=. "$schema")" >"$name.h")
    cmp "out/$name.h" "again/$name.h"
done
[ "$count" -ge 3 ]
echo "$count schemas of the tree"

data=${LAMINA_TEST_DATA:-}/flatbuffers
[ -d "$data" ] || { echo "no official schemas: LAMINA_TEST_DATA is not set"; exit 0; }
made=0
refused=0
for schema in $(cd "$data" && find . -name '*.fbs' | sort); do
    schema=${schema#./}
    mkdir -p "official/$(dirname "$schema")"
    if "$compiler" -I "$data" -I "$data/include_test" -I "$data/include_test/sub" \
        -o "official/${schema%.fbs}.h" \
        "$data/$schema" 2>message; then
        made=$((made + 1))
        echo "$schema" >>list
    elif grep -Eq ':[0-9]+:[0-9]+: error: .*not generated' message; then
        refused=$((refused + 1))
        echo "refused: $(head -1 message)"
    else
        echo "$schema:"
        cat message
        exit 1
    fi
done
while read -r schema; do
    compile "official -Iofficial/include_test -Iofficial/include_test/sub" "${schema%.fbs}"
done <list
echo "$made official schemas compile, $refused refused"
