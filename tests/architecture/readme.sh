#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# readme.sh SOURCE: what the guides show is what the tree holds (readme.awk), first in small guides
# that are right or wrong in one way each, then in those of the tree.
set -euo pipefail

source_tree=$1
checker=$(dirname "$(readlink -f "$0")")/readme.awk
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failures=0

check() {
    awk -v root="$scratch" -f "$checker" "$scratch/guide/README.md"
}

# guide WANT WHAT LINE...: a guide of these lines is "lawful", or is refused saying WANT.
guide() {
    local want=$1 what=$2 found code=0

    shift 2
    printf '%s\n' "$@" >"$scratch/guide/README.md"
    found=$(check) || code=1
    if [[ $want == lawful && $code == 1 ]]; then
        printf 'refused: %s: %s\n' "$what" "$found"
    elif [[ $want != lawful && $code == 0 ]]; then
        printf 'not refused: %s\n' "$what"
    elif [[ $want != lawful && $found != *"$want"* ]]; then
        printf 'refused for another reason: %s: %s\n' "$what" "$found"
    else
        return 0
    fi
    failures=$((failures + 1))
}

mkdir "$scratch/guide"
printf '%s\n' '/* SPDX-License-Identifier: Apache-2.0 */' 'int one(void)' '{' '    return 1;' '}' \
    >"$scratch/one.c"
file='<!-- file: one.c -->'
part='<!-- part of: one.c -->'
guide lawful "a whole file" "$file" '```c' 'int one(void)' '{' '    return 1;' '}' '```'
guide lawful "a part, without its indentation" "$part" '```c' 'return 1;' '}' '```'
guide lawful "links" "[a](../one.c) [b](#there) [c](https://example.org) \`[d](nowhere)\`"
guide lawful "a picture, and a shell session" '```' '+--+' '```' '```sh' 'ls nowhere' '```'
guide 'differs from one.c' "a line changed" "$file" '```c' 'int one(void)' '{' 'return 2;' '}' '```'
guide 'differs from one.c' "a file cut short" "$file" '```c' 'int one(void)' '{' '```'
guide 'not in one.c' "lines that do not follow" "$part" '```c' 'int one(void)' 'return 1;' '```'
guide 'not in one.c' "half a line" "$part" '```c' 'return' '```'
guide 'does not exist' "a file that is gone" '<!-- file: two.c -->' '```c' 'int two;' '```'
guide 'C code that no file holds' "C of its own" '```c' 'int one;' '```'
guide 'a marker without a fence' "a marker alone" "$file" 'text'
guide 'leads nowhere: ../two.c' "a broken link" '[a](../one.c) and [b](../two.c)'
guide 'leads nowhere: picture.svg' "a missing picture" '![ladder](picture.svg "title")'

cd "$source_tree"
mapfile -t guides < <(find . -path ./build -prune -o -name '*.md' -printf '%P\n' | sort)
echo "${#guides[@]} guides"
awk -v root=. -f "$checker" "${guides[@]}" || failures=$((failures + 1))
exit $((failures > 0))
