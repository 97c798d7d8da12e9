#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A suite must kill its mutants: each is one small wrong change of the sources, after which the
# suite has to fail, and without which it has to pass.
#
# Usage: mutants.sh SOURCE_TREE CC MUTANTS
#
# MUTANTS is a file of lines "name | file | sed expression"; before the first mutant stand
# "program PATH", the suite's C file, and "source PATTERN", "include FOLDER", "flag FLAG" for what
# it is built of, "folder PATH" for what it needs beside layer 0, "limit SECONDS" for a run. Paths
# are relative to the tree. A mutant that changes nothing is an error.
set -u
# A mutant is killed by the suite as it runs by itself, not by hours of it.
unset LAMINA_EFFORT

tree=$1
cc=$2
list=$3
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
program='' sources='' includes='' flags='' folders='' limit=20
killed=0 alive=0

# compile FOLDER SOURCE...: one object for each source, in that folder.
compile() {
    folder=$1
    shift
    for file in "$@"; do
        # shellcheck disable=SC2086 # lists of words
        (cd "$work/tree" && $cc -std=gnu11 -O1 -D_GNU_SOURCE $includes $flags -c "$file" \
            -o "$folder/$(echo "$file" | tr / _).o") || return 1
    done
}

all_sources() {
    # shellcheck disable=SC2086 # patterns
    (cd "$work/tree" && ls "$program" $sources)
}

# build_and_run [CHANGED]: of the objects without a mutant only what the change reaches is made
# anew: a C file alone, or behind a header everything. Returns 2 where that does not compile.
build_and_run() {
    rm -rf "$work/now"
    mkdir "$work/now"
    case ${1-} in
    *.c)
        cp "$work/objects"/*.o "$work/now"
        compile "$work/now" "$1"
        ;;
    *)
        # shellcheck disable=SC2046 # a list of words
        compile "$work/now" $(all_sources)
        ;;
    esac >"$work/log" 2>&1 || { cat "$work/log"; return 2; }
    # shellcheck disable=SC2086 # a list of words
    $cc "$work/now"/*.o $flags -lpthread -o "$work/suite" >"$work/log" 2>&1 ||
        { cat "$work/log"; return 2; }
    # A mutant may loop: that is a kill, too.
    timeout "$limit" "$work/suite" >"$work/log" 2>&1
}

fresh_tree() {
    rm -rf "$work/tree"
    mkdir "$work/tree"
    # shellcheck disable=SC2086 # a list of words
    (cd "$tree" && tar cf - --exclude=./build --exclude=./.git layer0-ring tests/support \
        $folders "$(dirname "$program")") | tar xf - -C "$work/tree"
}

while IFS= read -r line; do
    case $line in
    '' | '#'*) ;;
    'program '*) program=${line#program } ;;
    'source '*) sources="$sources ${line#source }" ;;
    'include '*) includes="$includes -I${line#include }" ;;
    'flag '*) flags="$flags ${line#flag }" ;;
    'folder '*) folders="$folders ${line#folder }" ;;
    'limit '*) limit=${line#limit } ;;
    *)
        if [ "$killed$alive" = 00 ]; then
            fresh_tree
            build_and_run || { echo "the suite fails without any mutant"; exit 1; }
            mv "$work/now" "$work/objects"
        fi
        name=$(printf '%s' "$line" | cut -d'|' -f1 | sed 's/ *$//')
        file=$(printf '%s' "$line" | cut -d'|' -f2 | tr -d ' ')
        change=$(printf '%s' "$line" | cut -d'|' -f3- | sed 's/^ *//')
        fresh_tree
        sed -i "$change" "$work/tree/$file"
        if cmp -s "$work/tree/$file" "$tree/$file"; then
            echo "$name: changes nothing in $file"
            exit 1
        fi
        build_and_run "$file"
        case $? in
        0) echo "ALIVE  $name"; alive=$((alive + 1)) ;;
        2) echo "$name: does not compile"; exit 1 ;;
        *) echo "killed $name"; killed=$((killed + 1)) ;;
        esac
        ;;
    esac
done <"$list"

echo "$killed mutants killed, $alive alive"
[ "$alive" = 0 ] && [ "$killed" -gt 0 ]
