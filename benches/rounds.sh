#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# rounds.sh ROUNDS FOLDER 'BENCH [arguments]'...: runs each bench in turns, A B C, A B C, ROUNDS
# times, after "./dev bench" has built them. FOLDER gets all lines (rounds.jsonl), the table of
# their medians (rounds.md, also on standard output), and where peers took part their points and
# picture (peers.csv, peers.svg). BENCH_BIN says where the programs are, else build/benches/bin.
#
# A run whose CPUs were far from each other cannot tell; rounds tell it by the best run of all, and
# the table keeps the two apart.
set -euo pipefail

here=$(dirname "$(readlink -f "$0")")
bin=${BENCH_BIN:-$here/../build/benches/bin}

[[ $# -ge 3 && $1 =~ ^[1-9][0-9]*$ ]] || {
    sed -n 's/^# \(rounds.sh ROUNDS.*\)/usage: \1/p' "$0" >&2
    exit 2
}
rounds=$1
folder=$2
shift 2
mkdir -p "$folder"
lines=$folder/rounds.jsonl
: >"$lines"

# one BENCH ARGUMENTS...: its lines, each with the number of the round in front.
one() {
    local name=$1

    shift
    [[ -x $bin/bench-$name ]] || {
        echo "rounds: there is no $bin/bench-$name; ./dev bench builds it" >&2
        exit 1
    }
    [[ $name != peers ]] || set -- "$@" --out "$folder"
    "$bin/bench-$name" "$@" | sed "s/^{/{\"round\":$round,/" >>"$lines"
}

for ((round = 1; round <= rounds; round++)); do
    for bench; do
        started=$SECONDS
        read -ra words <<<"$bench"
        one "${words[@]}" || echo "rounds: round $round of $bench ended with $?" >&2
        echo "rounds: round $round of $rounds: $bench, $((SECONDS - started)) s" >&2
    done
done

awk -f "$here/rounds.awk" "$lines" | tee "$folder/rounds.md"
if [[ -f $folder/peers.csv ]]; then
    heading=$(head -1 "$folder/peers.csv")
    awk -v csv=1 -v heading="$heading; $rounds rounds" -f "$here/rounds.awk" "$lines" \
        >"$folder/peers.csv"
    "$bin/draw-peers" "$folder/peers.csv" "$folder/peers.svg"
fi
