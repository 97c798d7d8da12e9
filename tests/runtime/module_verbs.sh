#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# lamina module as its users know it: a host by its file, every verb against it, calls of files in a
# worker of their own, what is said of what goes wrong, exit codes, and that nothing is left.
#
# Usage: module_verbs.sh FOLDER_OF_COMMANDS FOLDER_OF_EXAMPLES FOLDER_OF_TEST_MODULES has_metrics
set -uo pipefail

bin=$1
plugins=$2
modules=$3
has_metrics=$4
work=$(mktemp -d) || exit 1
export LAMINA_RUN_DIR=$work/run
mkdir "$LAMINA_RUN_DIR"
failures=0
host_pid=''
watch_pid=''

# shellcheck disable=SC2317 # the trap calls it
cleanup() {
    [[ -n $host_pid ]] && kill -9 "$host_pid" 2>/dev/null
    [[ -n $watch_pid ]] && kill -9 "$watch_pid" 2>/dev/null
    rm -rf "$work"
}
trap cleanup EXIT

fail() {
    echo "FAILED: $1"
    [[ -s $work/out ]] && sed 's/^/    /' "$work/out" | tr -d '\0' | cut -c1-300 | head -20
    [[ -s $work/err ]] && sed 's/^/    err: /' "$work/err" | head -8
    failures=$((failures + 1))
}

# runs CODE ARGUMENT...: lamina module ARGUMENT... ends with that code.
runs() {
    local wanted=$1 code

    shift
    timeout 60 "$bin/lamina" module "$@" >"$work/out" 2>"$work/err" <"${input:-/dev/null}"
    code=$?
    [[ $code == "$wanted" ]] || fail "$* ends with $code, not $wanted"
}

says() {
    grep -qE -- "$1" "$work/out" || fail "no line with $1"
}

err_says() {
    grep -qE -- "$1" "$work/err" || fail "no line on standard error with $1"
}

# answers TEXT: standard output is that and no more.
answers() {
    printf '%s' "$1" | cmp -s - "$work/out" || fail "the answer is not $1"
}

# await FILE PATTERN: such a line comes.
await() {
    local i

    for ((i = 0; i < 600; i++)); do
        grep -qE -- "$2" "$1" 2>/dev/null && return 0
        sleep 0.05
    done
    fail "no $2 in $1 after 30 s: $(tail -n 3 "$1")"
}

# --- the command line ---
runs 0 --help
says '^usage: lamina module host FILE'
runs 0 host --explain
says 'modules'
runs 2 hots
err_says 'there is no verb "hots" \(did you mean "host"\?\)'
runs 2 call one
runs 2 list --jsn
err_says 'there is no option --jsn'
runs 2 call a b --timeout soon
runs 2 call "$plugins/echo.so" echo --data a --data-from -
err_says 'not both'

# --- a file, in a worker of its own ---
runs 0 call "$plugins/string.so" upper --data 'to all'
answers 'TO ALL'
printf 'a\0b' >"$work/bytes"
input=$work/bytes
runs 0 call "$plugins/echo.so" echo --data-from -
unset input
cmp -s "$work/bytes" "$work/out" || fail 'standard input does not come back'
runs 0 call "$plugins/echo.so" echo --data-from "$work/bytes"
cmp -s "$work/bytes" "$work/out" || fail 'a file does not come back'
runs 0 call "$plugins/echo.so" echo
answers ''
runs 1 call "$plugins/echo.so" ehco
err_says 'echo.so: ehco: it has no such method'
runs 1 call "$plugins/echo.so" echo --data four --room 3
err_says 'its answer needs 4 bytes, and has 3: give it --room'
runs 1 call ./nowhere.so echo
err_says 'nowhere.so'
runs 2 call "$plugins/echo.so" echo --data-from ./nowhere
runs 1 call "$modules/test_module_bad.so" abort
err_says 'bad.so: abort: it ended its worker by signal 6$'
runs 1 call "$modules/test_module_bad.so" loop --timeout 0.2
err_says 'it had not ended when its time was over'
runs 2 call "$plugins/echo.so" echo --in-process
err_says 'call takes no --in-process$'
runs 2 list --keep-state
err_says 'list takes no --keep-state$'
head -c 33554433 /dev/zero >"$work/large"
runs 1 call "$plugins/echo.so" echo --data-from "$work/large" --room 33554433
err_says "echo.so: echo: its answer needs 33554433 bytes, and a worker's has 33554432 at most"
rm "$work/large"
# Of memlink's interface: any name is hashed, and none is refused.
runs 0 call "$modules/test_module_memlink.so" any_name_at_all --data x
[[ $(stat -c %s "$work/out") == 4096 ]] || fail "memlink's answer is not 4096 bytes"

# --- no host ---
runs 3 list
err_says 'no host at the endpoint runtime'
runs 3 call string upper
runs 3 watch

# --- a host ---
cat >"$work/runtime.yaml" <<END
directories: [$plugins]
serve: {endpoint: verbs, changes: true, bytes: 20MiB}
modules:
  string: {host: worker, counts_calls: true}
  count: {reference: counter}
  bad: {reference: $modules/test_module_bad.so, host: worker}
discover: {directories: [drop], loads: true}
END
mkdir "$work/drop"
if [[ $has_metrics == yes ]]; then
    printf 'metrics: {socket: metrics.sock}\n' >>"$work/runtime.yaml"
fi
runs 0 host "$work/runtime.yaml" --check
says ': 3 modules$'
runs 2 host "$work/runtime.yaml" --check --set modules.strnig.host=worker
err_says '^--set modules.strnig.host=worker: '
sed 's/host: worker/hots: worker/' "$work/runtime.yaml" >"$work/wrong.yaml"
runs 2 host "$work/wrong.yaml"
err_says 'wrong.yaml:4:12: modules.string.hots: unknown key \(did you mean "host"\?\)'
runs 3 host "$work/runtime.yaml" --set modules.count.reference=nowhere
err_says 'runtime.yaml:5:10: modules.count: '
[[ -z $(ls "$LAMINA_RUN_DIR") ]] || fail 'a host that did not start left an endpoint'

"$bin/lamina" module host "$work/runtime.yaml" >"$work/host.out" 2>"$work/host.err" </dev/null &
host_pid=$!
await "$work/host.err" 'lamina module: 3 modules at the endpoint verbs'
runs 3 host "$work/runtime.yaml"
err_says 'verbs'

here=(--endpoint verbs)
runs 0 list "${here[@]}"
says '^string +1\.0\.0  serving  generation 1, 0 calls, 0 draining$'
says '^count '
runs 0 list "${here[@]}" --json
says '^\{"name":"count","version":"1.0.0","phase":"serving","generation":1,'
runs 0 call string upper --data abc "${here[@]}"
answers ABC
input=$work/bytes
runs 0 load "$plugins/echo.so" --name mirror "${here[@]}"
runs 0 call mirror echo --data-from - "${here[@]}"
unset input
cmp -s "$work/bytes" "$work/out" || fail "the host's echo does not come back"
# More than any ring between the two holds: it goes on as it is read.
head -c 16777216 /dev/zero >"$work/large"
runs 0 call mirror echo --data-from "$work/large" --room 16777216 "${here[@]}"
cmp -s "$work/large" "$work/out" || fail 'a large answer does not come back'
head -c 20971521 /dev/zero >"$work/large"
runs 1 call mirror echo --data-from "$work/large" --room 33554433 "${here[@]}"
err_says 'the request has 20971521 bytes, and the host takes 20971520: serve: \{bytes: \.\.\.\}'
rm "$work/large"
runs 1 call nobody upper "${here[@]}"
err_says 'nobody: upper: no such module is loaded$'
runs 1 call string uper "${here[@]}"
err_says 'string: uper: it has no such method$'
runs 1 call bad fault "${here[@]}"
# A sanitizer that sees the fault ends the worker by SIGABRT.
err_says 'bad: fault: it ended its worker by signal (11|6)$'
# Who was late depends on who was on a CPU; that somebody was there does not.
runs 1 call bad loop --timeout 1 "${here[@]}"
err_says 'bad: loop: (it had not ended when its time was over|no answer in time)'
runs 0 call string upper --data still "${here[@]}"
answers STILL

"$bin/lamina" module watch "${here[@]}" >"$work/watch.out" 2>"$work/watch.err" </dev/null &
watch_pid=$!
await "$work/watch.err" 'watching'
printf '\5\0\0\0\0\0\0\0' >"$work/five"
runs 0 call count add --data-from "$work/five" "${here[@]}"
runs 0 reload count --keep-state "${here[@]}"
says '^count +1\.0\.0  serving  generation 2'
runs 0 call count get "${here[@]}"
cmp -s "$work/five" "$work/out" || fail 'the state did not survive the reload'
runs 1 reload count --reference /etc/passwd "${here[@]}"
err_says 'not an ELF file'
runs 0 list "${here[@]}"
says '^count +1\.0\.0  serving  generation 2'
runs 1 load "$plugins/echo.so" --name mirror "${here[@]}"
runs 0 unload mirror "${here[@]}"
runs 1 unload mirror "${here[@]}"
runs 1 call mirror echo "${here[@]}"
await "$work/watch.out" 'count: reloaded, 2'
await "$work/watch.out" 'count: reload failed, -8: '
await "$work/watch.out" 'mirror: unloaded, 1'

# Nothing that a name or a path has moves the cursor of who watches, or ends a line.
odd=$work/$'odd\e[2J\xc2\x9b\nend'
mkdir "$odd"
cp "$plugins/echo.so" "$odd/echo.so"
runs 0 load "$odd/echo.so" --name odd "${here[@]}"
await "$work/watch.out" 'odd: loaded, 1: .*/odd\\x1b\[2J\\xc2\\x9b\\x0aend/echo\.so$'
runs 1 load "$odd/nowhere.so" "${here[@]}"
err_says 'odd\\x1b\[2J'
runs 1 load "$plugins/echo.so" --name a/b "${here[@]}"
err_says 'its name has a slash'
runs 1 load "$plugins/echo.so" --name $'a\e[2J' "${here[@]}"
err_says 'its name has a control byte'
runs 0 unload odd "${here[@]}"
grep -q $'[\e\x9b]' "$work/watch.out" "$work/err" && fail 'a terminal is written to by a path'

echo 'no module' >"$work/drop/junk.so"
await "$work/watch.out" 'junk.*: discovery, -8: '

runs 0 stat "${here[@]}"
says '^lamina_module_calls_total\{module="string",method="upper",version="1\.0\.0"\} 2$'
runs 1 stat --room 10 "${here[@]}"
err_says 'give it --room'
runs 0 doctor "${here[@]}"
says '^worker +starts and answers$'
says '^sandbox limits +active'
says '^host +answers at verbs, with 3 modules$'
if [[ $has_metrics == yes ]]; then
    [[ -S $work/metrics.sock ]] || fail 'no socket for metrics beside the file'
fi

# --- its end ---
kill -TERM "$host_pid"
wait "$host_pid" || fail "the host ends with $?"
host_pid=''
wait "$watch_pid" || fail "watch ends with $? when the host has ended"
watch_pid=''
[[ -e $work/metrics.sock ]] && fail 'the socket for metrics is left'
[[ -z $(find "$LAMINA_RUN_DIR" -name '*.sock') ]] || fail 'the endpoint is left'
runs 3 list "${here[@]}"

# A host that lets nobody change anything says so, and where that is written.
sed -i 's/, changes: true//' "$work/runtime.yaml"
"$bin/lamina" module host "$work/runtime.yaml" --set serve.mode=0660 2>"$work/host.err" </dev/null &
host_pid=$!
await "$work/host.err" 'at the endpoint verbs'
modes=$(find "$LAMINA_RUN_DIR" -name 'verbs*.sock' -printf '%m ')
[[ $modes == '660 ' ]] || fail "the socket's mode is $modes"
runs 1 unload string "${here[@]}"
err_says 'serve: \{changes: true\}'
runs 0 list "${here[@]}"
says '^string '
kill -INT "$host_pid"
wait "$host_pid" || fail "the host ends with $? after an interrupt"
host_pid=''

# --- a place where nothing works ---
LAMINA_RUN_DIR=$work/nowhere runs 1 doctor
says '^endpoints .*nowhere: No such file or directory; make it'

[[ $failures == 0 ]] && echo 'every verb does what it says'
exit $((failures > 0))
