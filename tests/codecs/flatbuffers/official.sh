#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# official.sh COMPILER SOURCE LIBRARY...: messages of the official test suite, of other writers than
# ours, are taken, read as what they hold, and keep it through our plain structs and our builder.
# Each schema gets a program of its own, compiled here.
set -eu

compiler=$1
source=$2
shift 2
libraries=$*
data=${LAMINA_TEST_DATA:-}/flatbuffers
if [ ! -e "$data/monster_test.fbs" ]; then
    echo "skipped: no flatbuffers/monster_test.fbs in LAMINA_TEST_DATA"
    exit 77
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

# check TABLE SCHEMA MESSAGE PATTERN...: describes MESSAGE, directly and after a round through the
# plain struct, which has to be the same and to contain each pattern.
check() {
    table=$1 schema=$2 message=$3
    shift 3
    name=$(basename "$schema" .fbs)
    "$compiler" -I "$data/include_test" -o "$name.h" "$data/$schema"
    cat >program.c <<EOF
#include <stdio.h>
#include <stdlib.h>
#include "$name.h"

int main(int argc, char **argv)
{
    static _Alignas(32) unsigned char bytes[65536], again[65536], room[1 << 20];
    static char text[2][65536];
    const struct lam_codec *codec = &${table}_flatbuffers;
    struct lam_error error;
    struct lam_arena arena;
    struct $table value;
    FILE *file = fopen(argv[argc - 1], "rb");
    size_t size = fread(bytes, 1, sizeof(bytes), file);

    if (codec->verify(codec, bytes, size, &error) != 0)
        return fprintf(stderr, "%s\n", error.text), 1;
    codec->describe(codec, bytes, size, text[0], sizeof(text[0]));
    lam_arena_init(&arena, room, sizeof(room));
    if (${table}_unpack(bytes, size, &value, &arena) != 0 ||
        ${table}_pack(&value, again, sizeof(again), &size) != 0 ||
        codec->verify(codec, again, size, &error) != 0)
        return fprintf(stderr, "does not go through the plain struct\n"), 1;
    codec->describe(codec, again, size, text[1], sizeof(text[1]));
    puts(text[0]);
    return strcmp(text[0], text[1]) != 0;
}
EOF
    # shellcheck disable=SC2086 # the libraries are words
    cc -g -w -I. -I"$source/codecs/include" -I"$source/layer0-ring/base/include" program.c \
        $libraries -o program
    ./program "$data/$message" >found
    for pattern in "$@"; do
        if ! grep -qF "$pattern" found; then
            echo "$message: no $pattern in"
            cat found
            exit 1
        fi
    done
    echo "$message: $(wc -c <found) bytes of description agree"
}

check MyGame_Example_Monster monster_test.fbs monsterdata_test.mon \
    '"pos":{"x":1,"y":2,"z":3,"test1":3,"test2":"Green","test3":{"a":5,"b":6}}' '"hp":80' \
    '"name":"MyMonster"' '"inventory":[0,1,2,3,4]' '"test_type":"Monster","test":{' \
    '"name":"Fred"' '"test4":[{"a":10,"b":20},{"a":30,"b":40}]' \
    '"testarrayofstring":["test1","test2"]' '"testhashu64_fnv1":' '"mana":150'
check MyGame_Example_Monster monster_test.fbs unicode_test.mon \
    '"name":"unicode_test"' 'Цлїςσδε' 'フムヤムカモケモ' '☳☶☲'
check SmallStructs alignment_test.fbs alignment_test_after_fix.bin \
    '{"even_structs":[{"var_0":2,"var_1":1},{"var_0":3,"var_1":1},{"var_0":4,"var_1":1}]}'
