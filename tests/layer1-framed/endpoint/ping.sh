#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The ping-pong as two people would start it: a daemon, and clients of which the first begins before
# the daemon is there. Usage: ping.sh ENDPOINT_PING
set -u

LAMINA_RUN_DIR=$(mktemp -d) || exit 1
export LAMINA_RUN_DIR
trap 'rm -rf "$LAMINA_RUN_DIR"' EXIT

"$1" client &
client=$!
"$1" daemon >"$LAMINA_RUN_DIR/said" &
daemon=$!
wait "$client" || { echo "the client failed"; exit 1; }
wait "$daemon" || { echo "the daemon failed"; exit 1; }
cat "$LAMINA_RUN_DIR/said"
grep -q "pinger is here, pid $client" "$LAMINA_RUN_DIR/said" || exit 1
grep -q "it left: enough played" "$LAMINA_RUN_DIR/said" || exit 1
# Nothing of the endpoint is left.
[ "$(ls -A "$LAMINA_RUN_DIR")" = said ]
