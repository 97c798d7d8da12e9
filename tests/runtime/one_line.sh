#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every module of the examples builds by the one line that is promised, with no other folder of ours
# than the public headers, by each compiler that is here, optimised or not, as strict C11; a C++20
# compiler takes one of them as it is. Usage: one_line.sh yes|no, for whether libcrypto is here.
set -u

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
examples=$LAMINA_SOURCE/runtime/examples
built=0

# build CC STANDARD SOURCE [LIBRARY]
build() {
    compiler=$1
    standard=$2
    source=$3
    shift 3
    for level in -O0 -O2; do
        # shellcheck disable=SC2086 # a list of words
        $compiler -std="$standard" -Wall -Wextra -Wpedantic -Werror -shared -fPIC $level \
            -I"$LAMINA_SOURCE/runtime/include" -o "$work/m.so" "$source" "$@" || {
            echo "$compiler $level does not build $source"
            exit 1
        }
        # It asks for nothing of ours when it is loaded.
        if nm -D --undefined-only "$work/m.so" | grep -q ' lam_'; then
            echo "$source needs symbols of Lamina"
            exit 1
        fi
        built=$((built + 1))
    done
}

for compiler in gcc clang clang-14; do
    command -v "$compiler" >/dev/null || continue
    for module in echo math string counter later; do
        build "$compiler" c11 "$examples/modules/$module.c"
    done
    build "$compiler" c11 "$examples/template/module.c"
    [ "$1" = no ] || build "$compiler" c11 "$examples/modules/crypto.c" -lcrypto
done
for compiler in g++ clang++ clang++-14; do
    command -v "$compiler" >/dev/null || continue
    build "$compiler -x c++" c++20 "$examples/modules/echo.c"
done
echo "$built modules built"
[ "$built" -gt 0 ]
