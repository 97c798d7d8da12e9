#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The path of the guide: a counter is served as a file says, counts, is killed, and goes on.
#
# Usage: example_counter.sh FOLDER_OF_PROGRAMS EXAMPLES
set -u
programs=$1
examples=$2
work=$(mktemp -d) || exit 1
node=''

end() {
    [[ -z $node ]] || { kill -9 "$node" && wait "$node"; } 2>/dev/null
    rm -rf "$work"
}
trap end EXIT

fail() {
    echo "example_counter: $*" >&2
    cat "$work/log" >&2
    exit 1
}

serve() {
    "$programs/counter_node" "$work/node.yaml" --set 'listen=unix:counter.socket' \
        2>>"$work/log" &
    node=$!
}

# ask EXPECTED NUMBER...: what the counter says, without the sequences.
ask() {
    local expected=$1 said

    shift
    said=$("$programs/counter_client" "unix:$work/counter.socket" "$@" | sed 's/ at .*//' | xargs)
    [[ $said == "$expected" ]] || fail "after $* the counter is \"$said\", not \"$expected\""
}

cp "$examples/node.yaml" "$work/" || exit 1
"$programs/counter_node" "$work/node.yaml" --check >/dev/null || fail "node.yaml is refused"
"$programs/counter_node" "$work/node.yaml" --set window=3 --check 2>/dev/null &&
    fail "a window of 3 is no error"
"$programs/counter_node" --explain | grep -q snapshot_events || fail "--explain lacks a key"

"$programs/counter_node" "$work/node.yaml" --set disk=io_uring 2>>"$work/log" &&
    fail "a disk that there is none of is no error"

serve
ask '1 3 6' 1 2 3
# The next one comes while the old one still has address and journal, and waits for its end.
old=$node
serve
sleep 0.3
kill -9 "$old"
wait "$old" 2>/dev/null
ask '10 8' 4 -2
"$programs/counter_node" "$work/node.yaml" --set 'listen=unix:counter.socket' 2>>"$work/log" &&
    fail "two nodes have one address"
kill -TERM "$node"
wait "$node" || fail "a node that was told to end failed"
node=''
"$programs/lamina-journal" verify "$work/counter.journal" >>"$work/log" ||
    fail "its journal is not sound"
