#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A suite must kill its mutants: each is one small wrong change of the sources, after which the
# suite has to fail, and without which it has to pass.
#
# Usage: mutants.sh SOURCE_TREE CC MUTANTS [-DNAME=VALUE ...], for what only the build knows
#
# MUTANTS is a file of lines "name | file | sed expression"; before the first mutant stand
# "program PATH", the suite's C file, and "source PATTERN", "include FOLDER", "flag FLAG" for what
# it is built of, "folder PATH" for what it needs beside layer 0, "limit SECONDS" for the run
# without a mutant, by which the others are measured. Paths are relative to the tree. A mutant that
# changes nothing is an error.
#
# The tree is copied and compiled once; a mutant changes one file of the copy, has what reads this
# file made anew, and gives the file back. Objects are kept by what the preprocessor makes of their
# source, in a folder that all suites of a build share.
set -u
# A mutant is killed by the suite as it runs by itself, not by hours of it, and by one failure.
unset LAMINA_EFFORT
export CRITERION_FAIL_FAST=1 LC_ALL=C

tree=$(readlink -f "$1")
cc=$2
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
kept=${LAMINA_RUN_DIR:-$work}/mutants
limit=20 killed=0 alive=0
program='' patterns=() folders=() defines=("${@:4}") options=() libraries=()
sources=() objects=() # by one index; in read/INDEX stands what the source includes

# make_object INDEX: of this source, unless what it would be made of was made before.
make_object() {
    local text=$work/text.i key

    "$cc" -std=gnu11 -D_GNU_SOURCE "${defines[@]}" -E -MD -MF "$work/read/$1" \
        "${sources[$1]}" -o "$text" || return 1
    key=$({ echo "$cc ${options[*]}" && cat "$text"; } | sha256sum)
    objects[$1]=$kept/${key%% *}.o
    [[ -f ${objects[$1]} ]] && return 0
    # By another name first: a suite beside this one may be making it, too.
    "$cc" -std=gnu11 -O1 "${options[@]}" -c "$text" -o "$kept/$$" && mv "$kept/$$" "${objects[$1]}"
}

# run INDEX...: the suite with these objects made anew. Leaves in $made how many ms that took, 0
# where it was in vain.
run() {
    local index

    made=0
    for index; do
        make_object "$index" || return 1
    done
    "$cc" "${objects[@]}" "${options[@]}" "${libraries[@]}" -lpthread -o "$work/suite" || return 1
    made=$(((${EPOCHREALTIME/./} - start) / 1000))
    # A mutant may loop: that is a kill, too.
    timeout "$limit" "$work/suite"
}

# run_and_time INDEX...: says nothing, leaves in $times what took how long, ends as run does.
run_and_time() {
    local start=${EPOCHREALTIME/./} code

    run "$@" >"$work/log" 2>&1
    code=$?
    ran=$(((${EPOCHREALTIME/./} - start) / 1000 - made))
    times="made in $made ms, ran for $ran ms"
    return "$code"
}

# The copy, with all of its objects.
begin() {
    mkdir -p "$work/tree" "$work/read" "$kept"
    tar cf - -C "$tree" layer0-ring tests/support "${folders[@]}" "${program%/*}" |
        tar xf - -C "$work/tree"
    cd "$work/tree" || exit 1
    # shellcheck disable=SC2206 # patterns
    sources=("$program" ${patterns[*]})
    if ! run_and_time "${!sources[@]}"; then
        cat "$work/log"
        echo "the suite fails without any mutant"
        exit 1
    fi
    echo "passes without any mutant: $times"
    # What lasts several times as long does not end, or is as wrong.
    [[ $limit -lt $((2 + 4 * ran / 1000)) ]] || limit=$((2 + 4 * ran / 1000))
}

# mutant NAME FILE CHANGE
mutant() {
    local name=$1 file=$2 base=("${objects[@]}") reached ended

    sed -i "$3" "$file"
    if cmp -s "$file" "$tree/$file"; then
        echo "$name: changes nothing in $file"
        exit 1
    fi
    mapfile -t reached < <(cd "$work/read" && grep -lwF "$file" -- *)
    run_and_time "${reached[@]}"
    ended=$?,$made
    # Where it takes luck to be killed, it has that luck a second time; the report says so.
    if [[ $ended == 0,[1-9]* ]]; then
        run_and_time "${reached[@]}"
        ended=$?,$made
        times="at the second try, $times"
    fi
    case $ended in
    *,0) cat "$work/log" && echo "$name: does not compile" && exit 1 ;;
    0,*) echo "ALIVE  $name: $times" && alive=$((alive + 1)) ;;
    124,*) echo "killed $name, by its time: $times" && killed=$((killed + 1)) ;;
    *) echo "killed $name: $times" && killed=$((killed + 1)) ;;
    esac
    cp "$tree/$file" "$file"
    objects=("${base[@]}")
}

while IFS= read -r line; do
    case $line in
    '' | '#'*) ;;
    'program '*) program=${line#program } ;;
    'source '*) patterns+=("${line#source }") ;;
    'include '*) defines+=("-I${line#include }") ;;
    'flag -D'*) defines+=("${line#flag }") ;;
    'flag -l'* | 'flag -Wl,'*) libraries+=("${line#flag }") ;;
    'flag '*) options+=("${line#flag }") ;;
    'folder '*) folders+=("${line#folder }") ;;
    'limit '*) limit=${line#limit } ;;
    *)
        [[ $killed$alive == 00 ]] && begin
        IFS='|' read -r name file change <<<"$line"
        mutant "${name%"${name##*[! ]}"}" "${file// /}" "${change# }"
        ;;
    esac
done <"$3"

echo "$killed mutants killed, $alive alive"
[[ $alive == 0 && $killed -gt 0 ]]
