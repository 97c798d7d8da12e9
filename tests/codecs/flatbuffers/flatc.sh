#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# flatc.sh PEER: the official compiler reads what we write, and we read what it writes. Our message
# is printed by flatc as JSON, made into bytes again by flatc, and has to be described as ours was.
set -eu

peer=$1
schemas=$(cd "$(dirname "$0")/../schemas" && pwd)
if ! command -v flatc >/dev/null; then
    echo "skipped: flatc (package flatbuffers-compiler) is not installed"
    exit 77
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

# flatc prints no unions with structs and strings: it gets the schema without those members and
# fields, and what follows them, at the end of our description, is not compared.
sed -e '/^union Thing/s/{.*/{ Node, test.parts.Part = 4 }/' -e '/^  \(spot\|word\): Thing/d' \
    "$schemas/everything.fbs" >everything.fbs
cp "$schemas/parts.fbs" .

for way in built packed; do
    "$peer" "$way" "$way.bin"
    flatc --json --strict-json --raw-binary everything.fbs -- "$way.bin"
    grep -q '"text": "hello"' "$way.json"
    mv "$way.bin" "$way.ours"
    "$peer" describe "$way.ours" | sed 's/,"spot_type".*//' >ours
    grep -q '"thing":{"name":"bolt"' ours
    flatc --binary everything.fbs "$way.json"
    mv everything.bin "$way.theirs" 2>/dev/null || mv "$way.bin" "$way.theirs"
    "$peer" describe "$way.theirs" | sed 's/,"spot_type".*//' >theirs
    if cmp "$way.ours" "$way.theirs" >/dev/null; then
        echo "$way: flatc only copied the bytes"
        exit 1
    fi
    diff ours theirs
    echo "$way: flatc and we agree on $(wc -c <"$way.ours") and $(wc -c <"$way.theirs") bytes"
done
