#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# command.sh: what the command lamina-schema does with its options, its files and its exit code.
set -uo pipefail

schema=$LAMINA_BIN/lamina-schema
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch" || exit 2
failures=0

complain() {
    echo "command: $1"
    failures=$((failures + 1))
}
# ends CODE ARGUMENT...: runs the command; its output is in out and err.
ends() {
    local expected=$1 code

    shift
    "$schema" "$@" >out 2>err
    code=$?
    [ "$code" = "$expected" ] || complain "'$*' ended with $code instead of $expected: $(cat err)"
}
# says FILE TEXT: FILE is TEXT.
says() {
    [ "$(cat "$1")" = "$2" ] || complain "$1 is: $(cat "$1")"
}

mkdir sub
cat >main.fbs <<'END'
include "part.fbs";
namespace shop;
/// What is bought.
table Order { price:Price; side:Side = Sell; note:string (max: 9); }
root_type Order;
file_identifier "ORDR";
END
echo 'namespace shop; struct Price { ticks:long; } enum Side : byte { Buy, Sell }' >sub/part.fbs

ends 0 --help
grep -q '^usage: lamina-schema ' out || complain "no usage in --help"
ends 0 --version
grep -qE '^lamina-schema [0-9]+\.[0-9]+\.[0-9]+$' out || complain "no version"
ends 2
says err 'lamina-schema: no schema given
Try lamina-schema --help.'
ends 2 a.fbs b.fbs
ends 2 --nonsense a.fbs
ends 2 --depfile d a.fbs
ends 2 --dump-ir --hash a.fbs
ends 2 --prefix 'a b' a.fbs
ends 2 --prefix 5 a.fbs
ends 2 -I '' a.fbs

ends 1 main.fbs
says err 'main.fbs:1:9: error: cannot find "part.fbs"; looked for part.fbs
    include "part.fbs";
            ^~~~~~~~~~'
[ ! -s out ] || complain "an error writes to standard output"

ends 0 -I sub --dump-ir main.fbs
sed -i 's/hash [0-9a-f]*/hash H/' out
says out 'file "main.fbs"
file "part.fbs"
identifier "ORDR"
struct shop.Price size 8 align 8 align_max 8 hash H
    field ticks offset 0 size 8 padding 0: long
enum shop.Side: byte
    value Buy 0
    value Sell 1
doc "What is bought."
table shop.Order align 8 align_max 8 hash H
    field price id 0 slot 4 size 8: shop.Price
    field side id 1 slot 6 size 1: shop.Side = 1
    field note id 2 slot 8 size 4: string (max: 9)
order shop.Price shop.Order
root shop.Order
hash H'
ends 0 -I sub --hash main.fbs
grep -qE '^[0-9a-f]{16} shop\.Order$' out || complain "no hash of the table"
[ "$(wc -l <out)" = 1 ] || complain "hashes of what others declare"

ends 0 -I sub -o main.h --depfile main.d main.fbs
says main.d 'main.h: \
  main.fbs \
  sub/part.fbs'
grep -q Order main.h || complain "nothing in the header"
cp main.h before.h
ends 0 -I sub -o main.h main.fbs
cmp -s main.h before.h || complain "the same schema gives another header"
echo 'table Broken {' >>main.fbs
ends 1 -I sub -o main.h --depfile main.d main.fbs
cmp -s main.h before.h || complain "an error touches the header"
[ "$(find . -name '*.tmp')" = "" ] || complain "a draft is left behind"

ends 1 nowhere.fbs
says err 'error: nowhere.fbs: No such file or directory'
ends 1 sub
says err 'error: sub: Is a directory'
ends 1 -o nowhere/main.h sub/part.fbs
grep -q '^nowhere/main.h.*: No such file or directory$' err || complain "$(cat err)"
"$schema" --dump-ir sub/part.fbs >/dev/full 2>err && complain "a full disk is no error"
grep -q '^standard output: No space left on device$' err || complain "$(cat err)"
mkfifo pipe
ends 1 pipe
says err 'error: pipe: not a regular file'

# What is no regular file is written to, not replaced: not /dev/null, and not by root.
ln -s /dev/null sink
ends 0 -o sink --depfile sink sub/part.fbs
[ -L sink ] || complain "-o replaces what is no regular file"
ln -s /dev/full full
ends 1 -o full sub/part.fbs
grep -q '^full: ' err || complain "-o to a full disk says: $(cat err)"
timeout 10 cat pipe >got &
ends 0 -o pipe sub/part.fbs
wait $!
grep -q Price got || complain "nothing comes out of a pipe"
[ -p pipe ] || complain "-o replaces a pipe"
exit "$failures"
