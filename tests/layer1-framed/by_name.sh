#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Two programs that know of each other no more than a name, the receiver first, and then the sender
# first. Usage: by_name.sh SENDER RECEIVER
set -u

name=lamina-by-name-$$
want='hello
hello
hello'

leftovers() {
    find /dev/shm -maxdepth 1 -name "lamina.$name.*"
}

sleep_until_made() {
    for _ in $(seq 1000); do
        [ -n "$(leftovers)" ] && return
        sleep 0.01
    done
}

got=$("$2" "$name" & receiver=$!; "$1" "$name" || echo "the sender failed"; wait "$receiver" ||
    echo "the receiver failed")
[ "$got" = "$want" ] || { echo "receiver first: $got"; exit 1; }
"$1" "$name" &
sender=$!
sleep_until_made
got=$("$2" "$name" || echo "the receiver failed")
wait "$sender" || { echo "the sender failed"; exit 1; }
[ "$got" = "$want" ] || { echo "sender first: $got"; exit 1; }
[ -z "$(leftovers)" ] || { leftovers; exit 1; }
