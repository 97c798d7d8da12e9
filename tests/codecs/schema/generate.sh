#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# generate.sh: lamina_generate() makes headers where includes look for them, once; and again when a
# schema, or one that it includes, has changed.
set -euo pipefail

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cp -r "$LAMINA_SOURCE/tests/codecs/schema/generate" "$scratch/source"
cd "$scratch/source"
mkdir parts elsewhere
cat >order.fbs <<'END'
include "parts/price.fbs";
include "side.fbs";
table Order { price: Price; side: Side; }
END
echo 'table Price { ticks: long; }' >parts/price.fbs
echo 'enum Side : byte { Buy, Sell }' >elsewhere/side.fbs
sed -i 's|order.fbs parts/price.fbs|& elsewhere/side.fbs|' CMakeLists.txt
cat >program.c <<'END'
#if !__has_include("order.h") || !__has_include("parts/price.h") || !__has_include("side.h")
#error a header is not where an include would look
#endif
int nothing;
END

fail() {
    echo "generate: $1"
    cat "$scratch/log"
    exit 1
}
build() {
    cmake --build "$scratch/build" >"$scratch/log" 2>&1
}

cmake -G Ninja -S . -B "$scratch/build" -DLAMINA_BIN="$LAMINA_BIN" \
    -DLAMINA_SOURCE="$LAMINA_SOURCE" >"$scratch/log" 2>&1 || fail "does not configure"
grep -q 'CMake Warning' "$scratch/log" && fail "configures with a warning"
build || fail "does not build"
build || fail "does not build again"
grep -q 'no work to do' "$scratch/log" || fail "the second build is not idle"

header=$scratch/build/program-schemas/order.h
before=$(cksum "$header")
echo 'table Price { ticks: long; scale: ubyte; }' >parts/price.fbs
build || fail "does not build with the changed include"
[ "$(cksum "$header")" != "$before" ] || fail "a changed include leaves the header as it was"

before=$(cksum "$header")
echo 'table Price { ticks: long scale: ubyte; }' >parts/price.fbs
if build; then fail "a broken include builds"; fi
grep -q 'price.fbs:1:27: error: ' "$scratch/log" || fail "the message is lost"
[ "$(cksum "$header")" = "$before" ] || fail "a broken schema touches the header"
