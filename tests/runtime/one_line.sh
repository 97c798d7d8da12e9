#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every module of the examples builds by the one line that is promised, with no other folder of ours
# than the public headers, by each compiler that is here, optimised or not, as strict C11; a C++20
# compiler takes two of them as they are. Usage: one_line.sh yes|no [SCHEMA CODECS BASE]: whether
# libcrypto is here; the schema compiler and the archives of a typed module, or that is left out.
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

typed="-I$work -I$LAMINA_SOURCE/codecs/include -I$LAMINA_SOURCE/layer0-ring/base/include"
[ $# = 1 ] || "$2" -o "$work/calc.h" "$examples/modules/calc.fbs" || exit 1

# build_typed COMPILER STANDARD [ARCHIVE...]
build_typed() {
    compiler=$1
    standard=$2
    shift 2
    [ $# = 0 ] || build "$compiler $typed" "$standard" "$examples/modules/calc.c" -x none "$@"
}

for compiler in gcc clang clang-14; do
    command -v "$compiler" >/dev/null || continue
    for module in echo math string counter later; do
        build "$compiler" c11 "$examples/modules/$module.c"
    done
    build "$compiler" c11 "$examples/template/module.c"
    [ "$1" = no ] || build "$compiler" c11 "$examples/modules/crypto.c" -lcrypto
    build_typed "$compiler" c11 ${3:+"$3"} ${4:+"$4"}
done
for compiler in g++ clang++ clang++-14; do
    command -v "$compiler" >/dev/null || continue
    build "$compiler -x c++" c++20 "$examples/modules/echo.c"
    build_typed "$compiler -x c++" c++20 ${3:+"$3"} ${4:+"$4"}
done
echo "$built modules built"
[ "$built" -gt 0 ]
