#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The vectors of test_messages.c are what another library of MessagePack writes, where it is here.
folder=$LAMINA_SOURCE/tests/runtime/messages
if ! command -v python3 >/dev/null; then
    echo "skipped: no python3"
    exit 77
fi
exec python3 "$folder/vectors.py" "$folder/vectors.txt"
