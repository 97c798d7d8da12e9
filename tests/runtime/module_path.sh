#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The guide's path from the template to hot reload: its lines are taken out of runtime/README.md
# and run as they stand, but for those that install packages and build the tree.
#
# Usage: module_path.sh FOLDER_OF_COMMANDS
set -uo pipefail

bin=$1
work=$(mktemp -d) || exit 1
pids=''

cleanup() {
    # shellcheck disable=SC2086 # a list of words
    [[ -z $pids ]] || kill $pids 2>/dev/null
    rm -rf "$work"
}
trap cleanup EXIT
cd "$work" || exit 1

awk '/^<!-- the path/ { on = 1; next } /^```/ && on { if (++fences == 2) exit; next } on' \
    "$LAMINA_SOURCE/runtime/README.md" | grep -vE '^(sudo|apt-get|cmake) ' >lines
[[ $(wc -l <lines) -gt 8 ]] || { echo 'the path is not in the guide'; exit 1; }

# The tree is elsewhere; the host's pid is kept so that it ends.
mkdir -p build/release
ln -s "$bin" build/release/bin
ln -s "$LAMINA_SOURCE/runtime" runtime
unset LAMINA_RUN_DIR
{
    echo 'set -e'
    cat lines
} >path.sh
timeout 120 bash path.sh >out 2>err </dev/null
code=$?
pids=$(cat host.pid 2>/dev/null)
if [[ $code != 0 ]] || ! diff -u - out <<END; then
hello world
greeting                 1.0.0  serving  generation 2, 0 calls, 0 draining
good evening world
END
    echo "FAILED: the path ends with $code"
    cat lines err
    exit 1
fi
echo 'from the template to hot reload, as the guide says'
