#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# lamina stat, tail and dump as their users know them: beside a ring whose ends are alive, closed,
# killed, or whose objects are cut short. What they say, their exit codes, and what they leave.
#
# Usage: tools.sh FOLDER_OF_COMMANDS ENDS
set -uo pipefail

bin=$1
ends=$2
work=$(mktemp -d) || exit 1
name=tools-$$
failures=0
ends_pid=''

cleanup() {
    [[ -n $ends_pid ]] && kill -9 "$ends_pid" 2>/dev/null
    rm -rf "$work" "/dev/shm/lamina.$name.data" "/dev/shm/lamina.$name.control"
}
trap cleanup EXIT

fail() {
    echo "FAILED: $1"
    [[ -s $work/out ]] && sed 's/^/    /' "$work/out" | cut -c1-300 | head -20
    [[ -s $work/err ]] && sed 's/^/    err: /' "$work/err" | head -5
    failures=$((failures + 1))
}

# runs CODE COMMAND...: the command ends with that code.
runs() {
    local wanted=$1 code

    shift
    timeout 20 "$@" >"$work/out" 2>"$work/err"
    code=$?
    [[ $code == "$wanted" ]] || fail "$* ends with $code, not $wanted"
}

# says PATTERN: the last command's output has such a line. err_says: its standard error.
says() {
    grep -qE -- "$1" "$work/out" || fail "no line with $1"
}

err_says() {
    grep -qE -- "$1" "$work/err" || fail "no line on standard error with $1"
}

is_silent() {
    [[ -s $work/err ]] && fail "$1 is not quiet"
}

# The ends: they read from descriptor 4 what to do, and answer on 3.
start() {
    coproc ENDS { exec "$ends" "$1" "$2"; }
    # shellcheck disable=SC2153 # coproc sets it
    ends_pid=$ENDS_PID
    exec 3<&"${ENDS[0]}" 4>&"${ENDS[1]}"
    read -r -t 20 answer <&3
    [[ $answer == ready ]] || { echo "the ends did not start"; exit 1; }
}

finish() {
    echo "$1" >&4
    exec 3<&- 4>&-
    wait "$ends_pid" 2>/dev/null
    ends_pid=''
}

start "$work" live
data=$work/lamina.live.data
control=$work/lamina.live.control

# --- stat ---
runs 0 "$bin/lamina-stat" --ring "$data"
says '^live: open, epoch 1, 256 cells of 64 bytes'
says '100 events, '
says ' - events/s'
says '60 released, lag 40 events in 40 cells'
says 'latency: p50 .* of 6 times'
says '  orders: 7'
says '    trades: 11'
says 'reader "one"\?\?\[7m\?: gating'
grep -q $'\x1b' "$work/out" && fail "an escape reached the terminal"
runs 0 "$bin/lamina-stat" --ring live --directory "$work" --every 50ms --count 2 --json
[[ $(wc -l <"$work/out") == 2 ]] || fail "two samples are not two lines"
says '"events_per_s":null'
says '"events_per_s":0.0'
says '"name":"reader \\"one\\"\\u000a\\u001b\[7m\\u00e9"'
says '"lag_events":40'
says '"counters":\{"orders":7\}'
says '"latency_ns":\{"count":6,"p50":'
runs 0 "$bin/lamina-stat" "$control" --json
says '"ring":"live"'
runs 0 "$bin/lamina-stat" live --once --directory "$work"
[[ $(grep -c '^live: open' "$work/out") == 1 ]] || fail "--once is not one sample"
runs 0 "$bin/lamina-stat" --rings --directory "$work"
says '^live: open, epoch 1, 100 events, 1 consumers'
runs 0 "$bin/lamina-stat" --ring --help
says '^usage: lamina stat'

# --- tail ---
runs 0 "$bin/lamina-tail" "$data" --raw --from oldest --count 3
[[ $(wc -l <"$work/out") == 3 ]] || fail "three events are not three lines"
says '^0 0 1234 -t--- 23 @[0-9]+\.[0-9]{9} .*\|.*event 0\|$'
says '^1 1 1234 ----- 7 6576656e742031 \|event 1\|$'
runs 0 "$bin/lamina-tail" "$data" --from oldest --once --json --bytes 3
[[ $(wc -l <"$work/out") == 100 ]] || fail "not all that the ring holds"
says '^\{"ordinal":99,"sequence":99,"kind":4660,"flags":0,"bytes":8,"hex":"657665"\}$'
runs 0 "$bin/lamina-tail" "$data" --once
[[ -s $work/out ]] && fail "nothing came, and something is printed"
timeout 20 "$bin/lamina-tail" "$data" >"$work/followed" 2>"$work/err" &
tail_pid=$!
sleep 0.3
runs 0 "$bin/lamina-stat" --ring "$data" --json
[[ $(grep -o '"name"' "$work/out" | wc -l) == 1 ]] || fail "who tails has a place in the ring"
echo more >&4
read -r -t 20 answer <&3

# --- dump ---
runs 0 "$bin/lamina-dump" "$data"
says '^ +48  depth +256$'
says '^ +512  state: open +1$'
says 'events: [0-9]+ lead from the horizon to the head at 105$'
runs 0 "$bin/lamina-dump" "$data" --cells
says 'event 104 at 104: kind 1234, flags 0000, 9 bytes 6576656e7420313034$'
runs 0 "$bin/lamina-dump" "$control" --json
says '\{"offset":40,"field":"entry_count","value":64\}'
says '"field":"counters\[64\]\[0\].name","value":"orders"'
says '\{"note":"lock of the producer at byte 0: held"\}'
runs 0 "$bin/lamina-dump" "$control"
says 'entry 0: gating, its lock is held'
says 'histogram 0 at [0-9]+: 6 times'

# --- who reads our output ---
for reader in "stat --ring $data" "tail $data --from oldest --once" "dump $data --cells"; do
    # shellcheck disable=SC2086 # a list of words
    timeout 20 "$bin"/lamina-$reader 2>"$work/err" | head -1 >"$work/out"
    is_silent "lamina $reader with a closed pipe"
    # shellcheck disable=SC2086
    (trap '' PIPE; timeout 20 "$bin"/lamina-$reader 2>"$work/err") | true
    is_silent "lamina $reader with a closed pipe and no signal"
    # shellcheck disable=SC2086
    timeout 20 "$bin"/lamina-$reader 2>"$work/err" >/dev/full
    [[ $? == 1 ]] || fail "lamina $reader does not notice a full disk"
    err_says 'cannot write'
    cp "$data" "$work/before"
    # shellcheck disable=SC2086
    timeout 20 "$bin"/lamina-$reader >&- 2>&- <&-
    cmp -s "$data" "$work/before" || fail "lamina $reader wrote over the ring"
done

# --- the end: closed ---
finish close
wait "$tail_pid" || fail "lamina tail does not end with the ring"
[[ $(grep -c 'event 10[0-4]|$' "$work/followed") == 5 ]] || fail "what came is not what was shown"
runs 0 "$bin/lamina-stat" --ring "$data" --every 1s
says '^live: closed'

# --- before the first: a ring without a producer, and one that has not signed ---
start "$work" other
for line in fresh lock; do
    echo "$line" >&4
    read -r -t 20 answer <&3
    runs 0 "$bin/lamina-stat" --ring "$work/lamina.fresh.data" --json
    says '"producer_pid":null'
    runs 0 "$bin/lamina-stat" --ring "$work/lamina.fresh.data"
    case $line in
    fresh) says '^fresh: new, .*, no producer yet$' ;;
    lock) says '^fresh: new, .*, a producer is attaching$' ;;
    esac
done

# --- the end: poisoned ---
echo poison >&4
read -r -t 20 answer <&3
runs 5 "$bin/lamina-stat" --ring "$work/lamina.other.data" --every 50ms
says '^other: poisoned'
err_says 'other: is poisoned'
[[ $(grep -c '^other: ' "$work/out") == 1 ]] || fail "a poisoned ring is sampled twice"
runs 5 "$bin/lamina-stat" --ring "$work/lamina.other.data" --count 3 --every 50ms --json
runs 0 "$bin/lamina-stat" --ring "$work/lamina.other.data"
says '^other: poisoned'
is_silent "one sample of a poisoned ring"
echo damage >&4
read -r -t 20 answer <&3
runs 5 "$bin/lamina-stat" --ring "$work/lamina.other.data" --every 50ms
err_says 'other: is poisoned: no events lead'
finish die

# --- the end: killed ---
start "$work" dead
finish die
runs 0 "$bin/lamina-stat" --ring "$work/lamina.dead.data"
says '^dead: dead, epoch 1'
says 'reader .*: dead, pid'
runs 0 "$bin/lamina-tail" --from oldest "$work/lamina.dead.data"
says '^99 99 '
runs 0 "$bin/lamina-dump" "$work/lamina.dead.control"
says 'entry 0: gating, its lock is free'
runs 0 "$bin/lamina-dump" "$work/lamina.dead.data"

# --- damaged and cut short ---
mkdir "$work/hurt"
cp "$work"/lamina.dead.* "$work/hurt"
printf '\007' | dd of="$work/hurt/lamina.dead.data" bs=1 seek=48 conv=notrunc status=none
runs 4 "$bin/lamina-dump" "$work/hurt/lamina.dead.data"
says 'depth +263   IMPOSSIBLE: '
runs 4 "$bin/lamina-stat" --ring "$work/hurt/lamina.dead.data"
err_says 'depth is 263'
runs 4 "$bin/lamina-tail" "$work/hurt/lamina.dead.data"
truncate -s 700 "$work/hurt/lamina.dead.data"
runs 4 "$bin/lamina-dump" "$work/hurt/lamina.dead.data" --json
says '"field":"waypoint_count","value":null,"missing":true'
runs 4 "$bin/lamina-stat" --ring "$work/hurt/lamina.dead.data"
err_says 'cut short'
runs 0 "$bin/lamina-stat" --rings --directory "$work/hurt"
says '^dead: unreadable: '
truncate -s 0 "$work/hurt/lamina.dead.data"
runs 4 "$bin/lamina-dump" "$work/hurt/lamina.dead.data"
echo "text of some length" >"$work/hurt/text"
runs 4 "$bin/lamina-dump" "$work/hurt/text"
err_says 'no object of a ring'

# --- wrong command lines ---
runs 3 "$bin/lamina-stat" --ring "no-such-$name"
err_says 'not there'
runs 3 "$bin/lamina-tail" "$work/lamina.none.data"
runs 3 "$bin/lamina-dump" "$work/none"
runs 3 "$bin/lamina-dump" "$work"
mkfifo "$work/fifo"
runs 3 "$bin/lamina-dump" "$work/fifo"
for wrong in "stat --ring" "stat --ring a b" "stat --ring a --every soon" \
    "stat --ring a --count 0" "stat --ring a --once --count 2" "stat --rings a" "tail" \
    "tail a --from here" \
    "tail a --bytes 65537" "tail a --count -1" "tail a --once=1" "tail a --directory" \
    "dump" "dump a --what"; do
    # shellcheck disable=SC2086
    runs 2 "$bin"/lamina-$wrong
    err_says '^lamina [a-z]+: '
    err_says '^usage: lamina'
done
for verb in tail dump; do
    runs 0 "$bin/lamina-$verb" --help
    says '^exit: 0'
done

# --- by name, as a verb ---
if [[ -x $bin/lamina ]]; then
    start /dev/shm "$name"
    runs 0 "$bin/lamina" stat "$name"
    says "^$name: open"
    runs 0 "$bin/lamina" stat --count 1 "$name"
    says "^$name: open"
    runs 0 "$bin/lamina" tail "$name" --from oldest --count 1
    runs 0 "$bin/lamina" dump "/dev/shm/lamina.$name.data"
    finish close
fi

[[ $failures == 0 ]] && echo "stat, tail and dump do as they say"
[[ $failures == 0 ]]
