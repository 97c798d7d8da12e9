#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# parity.sh SOURCE BUILD: every name in the ledger exists, by parity.awk; and each of its rules
# bites, shown on ledgers of one row that are right, or wrong in one way.
# parity.sh --report: how much of it is kept.
set -euo pipefail

here=$(dirname "$(readlink -f "$0")")
if [[ ${1:-} == --report ]]; then
    exec awk -v report=1 -f "$here/parity.awk" "$here/../parity.csv"
fi
source_tree=$1
build_tree=$2
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failures=0

header=id,system,promise,area,kind,status,header,test,bench,note

check() {
    awk -v root="$source_tree" -v tests="$scratch/tests" -v benches="$scratch/benches" \
        -f "$here/parity.awk" "$1"
}

# ledger WANT ROW...: a ledger of these rows is "lawful", or is refused saying WANT.
ledger() {
    local want=$1 found code=0

    shift
    printf '%s\n' "$header" "$@" >"$scratch/ledger.csv"
    found=$(check "$scratch/ledger.csv") || code=1
    if [[ $want == lawful && $code == 1 ]]; then
        printf 'refused: %s: %s\n' "$*" "$found"
    elif [[ $want != lawful && ($code == 0 || $found != *"$want"*) ]]; then
        printf 'not refused as "%s": %s\n%s\n' "$want" "$*" "$found"
    else
        return 0
    fi
    failures=$((failures + 1))
}

printf '%s\n' ring.moves.one ring.moves.many >"$scratch/tests"
printf '%s\n' handoff >"$scratch/benches"
ledger lawful \
    'a,s,"One, and ""two"".",ring,feature,kept,CMakeLists.txt,ring.moves.one ring.moves.many,,'
ledger lawful 'a,s,p,ring,figure,kept,CMakeLists.txt,,handoff,' 'b,s,p,ring,feature,planned,,,,'
ledger lawful 'a,s,p,ring,nongoal,nongoal,,,,' 'b,s,p,ring,feature,planned,,ring.moves.one,,half'
ledger 'no file gone.h' 'a,s,p,ring,feature,kept,gone.h,ring.moves.one,,'
ledger 'no test called ring.moves' 'a,s,p,ring,feature,kept,CMakeLists.txt,ring.moves,,'
ledger 'no bench called speed' 'a,s,p,ring,figure,kept,CMakeLists.txt,,speed,'
ledger 'nothing shows it' 'a,s,p,ring,figure,kept,CMakeLists.txt,ring.moves.one,,'
ledger 'nothing shows it' 'a,s,p,ring,feature,kept,CMakeLists.txt,,handoff,'
ledger 'names no file' 'a,s,p,ring,feature,kept,,ring.moves.one,,'
ledger 'the note says why' 'a,s,p,ring,feature,planned,,ring.moves.one,,'
ledger 'is there twice' 'a,s,p,ring,feature,planned,,,,' 'a,s,p,ring,feature,planned,,,,'
ledger 'status is done' 'a,s,p,ring,feature,done,,,,'
ledger 'kind is wish' 'a,s,p,ring,wish,planned,,,,'
ledger 'differ about a nongoal' 'a,s,p,ring,nongoal,planned,,,,'
ledger 'not 10 columns' 'a,s,one, two,ring,feature,planned,,,,'
ledger 'not 10 columns' 'a,s,"open,ring,feature,planned,,,,'
ledger 'the ledger is empty'

ctest --test-dir "$build_tree" -N | sed -n 's/^ *Test *#[0-9]*: //p' >"$scratch/tests"
[[ -s $scratch/tests ]] || {
    echo "CTest lists no tests in $build_tree"
    exit 1
}
find "$source_tree/benches" -name CMakeLists.txt \
    -exec sed -n 's/^ *lam_bench(\([a-z0-9_-]*\).*/\1/p' {} + >"$scratch/benches"
check "$source_tree/tests/parity.csv" || failures=$((failures + 1))
exit $((failures > 0))
