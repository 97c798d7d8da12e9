#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# features.sh SOURCE: the table "On the path of a call" of runtime/README.md has the features of
# the runtime by their names, and each of its rows a switch, a price, and tests that the tree has.
# First tables that are wrong in one way each are refused.
# shellcheck disable=SC2016 # the backquotes are those of Markdown
set -euo pipefail

source_tree=$1
names=('resolver chain' 'hot reload' 'circuit breaker' 'request cache' 'pool' 'health'
    'dependencies' 'versions side by side' 'batching' 'sandbox' 'events and middleware' 'discovery'
    'metrics and usage' 'backpressure' 'retries, hedging and deadlines' 'tracing')
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failures=0

find "$source_tree/tests" \( -name CMakeLists.txt -o -name '*.cmake' \) -exec \
    sed -n 's/^.*_test(\([a-z0-9_]*\)\([ )].*\)*$/\1/p' {} + >"$scratch/tests"

# rows FILE: those of the table, without its head.
rows() {
    awk '/^## / { inside = $0 == "## On the path of a call" } inside && /^\| [^-]/' "$1" |
        tail -n +2
}

# check FILE: says what is wrong with its table. Returns 1 where something is.
check() {
    local name test feature switch tests price code=0

    rows "$1" >"$scratch/rows"
    for name in "${names[@]}"; do
        grep -q "^| $name" "$scratch/rows" || { echo "no row begins with $name"; code=1; }
    done
    while IFS='|' read -r _ feature switch tests price _; do
        [[ -n ${switch// /} && -n ${price// /} ]] || { echo "no switch or price:$feature"; code=1; }
        [[ $tests == *'`'* ]] || { echo "no test:$feature"; code=1; }
        while read -r test; do
            grep -qxF "$test" "$scratch/tests" || { echo "no test is called $test"; code=1; }
        done < <(grep -o '`[a-z0-9_]*`' <<<"$tests" | tr -d '`')
    done <"$scratch/rows"
    return "$code"
}

# refuse WANT SED: the guide, changed so, is refused saying WANT.
refuse() {
    local found

    sed "$2" "$source_tree/runtime/README.md" >"$scratch/guide.md"
    if found=$(check "$scratch/guide.md") || [[ $found != *"$1"* ]]; then
        printf 'not refused as "%s": %s\n%s\n' "$1" "$2" "$found"
        failures=$((failures + 1))
    fi
}

refuse 'no row begins with tracing' '/^| tracing/d'
refuse 'no test is called runtime_nothing' 's/`runtime_cache`/`runtime_nothing`/'
refuse 'no test: pool' '/^| pool/s/`runtime_pool[a-z_]*`//g'
refuse 'no switch or price: discovery' '/^| discovery/s/| `lam_discover[^|]*|/| |/'
check "$source_tree/runtime/README.md" || failures=$((failures + 1))
exit $((failures > 0))
