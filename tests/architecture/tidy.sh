#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# tidy.sh [ROOT]: the rules of this house that neither the compiler nor the formatter can say.
# Prints "file:line: rule: what is wrong"; exit 1 when there is anything. tidy_mutants.sh breaks
# each rule once and looks that it is refused.
set -euo pipefail
export LC_ALL=C

checker=$(dirname "$(readlink -f "$0")")/tidy.awk
cd "${1:-.}"
bad=0

# all_files [PATTERN...]: what belongs to the tree, new files included; without git, what is there.
all_files() {
    if [[ -e .git ]]; then
        git ls-files --cached --others --exclude-standard -- "$@" |
            while read -r file; do if [[ -f $file ]]; then echo "$file"; fi; done
    else
        find . -path ./build -prune -o -type f -printf '%P\n' | select_like "$@"
    fi | sort
}

# The patterns of git's ls-files that are used here: "*.ext", a folder, a file.
select_like() {
    local file pattern

    while read -r file; do
        [[ $# -gt 0 ]] || echo "$file"
        for pattern; do
            # shellcheck disable=SC2053 # it is a pattern
            if [[ $file == $pattern || $file == "$pattern"/* ]]; then
                echo "$file"
                break
            fi
        done
    done
}

refuse() {
    printf '%s: %s: %s\n' "$1" "$2" "$3"
    bad=1
}

# check_lines [AWK-SETTINGS...]: the files that standard input names.
check_lines() {
    xargs -r awk "$@" -f "$checker"
}

layers='^(layer[0-9]|codecs\/|topology\/|runtime\/|sequencer\/)'
bounded='^layer[0-9][^\/]*\/(base\/)?(src|include)\/'

check_text() {
    local code="$scratch/code"

    all_files '*.c' '*.h' '*.cc' >"$code"
    awk "/$bounded/" "$code" | check_lines -v layered=1 -v bounded=1 || bad=1
    awk "/$layers/ && !/$bounded/" "$code" | check_lines -v layered=1 || bad=1
    awk "!/$layers/" "$code" | check_lines || bad=1
    all_files '*.cmake' '*CMakeLists.txt' '*.sh' '*.awk' '*.in' dev .ci/run | check_lines || bad=1
    all_files '*.md' '*.yaml' '*.yml' '*.fbs' '*.json' | check_lines -v prose=1 || bad=1
}

# Dead files: a source that no CMake file names, a private header that nothing includes.
check_listed() {
    local file name cmake headers

    cmake=$(all_files '*CMakeLists.txt' '*.cmake' | xargs -r cat)
    all_files '*.c' '*.cc' >"$scratch/sources"
    while read -r file; do
        name=${file##*/}
        grep -qE "(^|[^A-Za-z0-9_])${name//./\\.}" <<<"$cmake" ||
            refuse "$file" "dead file" "no CMake file names it"
    done <"$scratch/sources"

    headers=$(all_files '*.c' '*.h' '*.cc' '*.in' | xargs -r grep -hE '^ *#include' || true)
    all_files '*.h' | grep -v '/include/' >"$scratch/headers" || true
    while read -r file; do
        grep -qF "${file##*/}\"" <<<"$headers" ||
            refuse "$file" "dead file" "nothing includes it"
    done <"$scratch/headers"
}

# Each folder of the house has a guide, and each script says what it is.
check_folders() {
    local folder file

    for folder in layer*/ layer*/base codecs topology topology/config runtime sequencer tests \
        benches; do
        [[ -d $folder ]] || continue
        [[ -f ${folder%/}/README.md ]] ||
            refuse "${folder%/}" "guide" "a folder of the house has a README.md"
    done
    all_files '*.sh' dev .ci/run >"$scratch/scripts"
    while read -r file; do
        [[ $(sed -n 2p "$file") == "# SPDX-License-Identifier: Apache-2.0" ]] ||
            refuse "$file" "licence" "the second line of a script is the SPDX line"
    done <"$scratch/scripts"
}

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
check_text
check_listed
check_folders
exit "$bad"
