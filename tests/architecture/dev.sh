#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# dev.sh SOURCE: ./dev installs what is missing and only that, says so on standard error, and leaves
# a machine alone where it has all or is told to. Debian's tools are stand-ins here that write down
# how they were called.
# shellcheck disable=SC2016 # the bodies of the stand-ins are for another shell
set -euo pipefail

source_tree=$1
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir "$scratch/bin"
cp -r "$source_tree/dev" "$scratch/"
cd "$scratch"

# stand_in NAME BODY
stand_in() {
    printf '#!/bin/sh\n%s\n' "$2" >"bin/$1"
    chmod +x "bin/$1"
}

fail() {
    echo "$1"
    cat calls out err
    exit 1
}

# dev WANT ARGUMENTS...: with the stand-ins before everything else; WANT is the exit code.
dev() {
    local want=$1 code=0

    shift
    : >calls
    env PATH="$scratch/bin:$PATH" CALLS="$scratch/calls" "${settings[@]}" ./dev "$@" \
        >out 2>err || code=$?
    [[ $code == "$want" ]] || fail "./dev $* ended with $code, not $want"
}

settings=(A=b)
stand_in dpkg-query 'case $4 in libyaml-dev|cmake) exit 1 ;; *) printf installed ;; esac'
stand_in apt-get 'echo "apt-get $*" >>"$CALLS"; echo "noise of apt"'
stand_in id 'echo 0'
stand_in sudo 'echo "sudo $*" >>"$CALLS"; "$@"'
# Nothing is built: the build tool is a stand-in that fails.
stand_in cmake 'echo "cmake $*" >>"$CALLS"; exit 1'

dev 1 run --json
grep -q 'run (compiler, build tools.*) needs: cmake libyaml-dev' err ||
    fail "does not say what it installs, and why"
grep -qx 'apt-get update -q' calls || fail "does not look for packages"
grep -qx 'apt-get install -q -y --no-install-recommends cmake libyaml-dev' calls ||
    fail "does not install what is missing, or more"
grep -q sudo calls && fail "root needs no sudo"
[[ ! -s out ]] || fail "standard output is not for dev's own words"
grep -q 'noise of apt' err || fail "apt is silenced"
grep -qx 'cmake --preset release -DLAMINA_WITH_TESTS=OFF' calls || fail "does not configure"
grep -q 'configuring release failed' err || fail "does not say what failed"

stand_in id 'echo 1000'
dev 1 run
grep -q '^sudo apt-get update' calls || fail "does not use sudo where it is not root"

settings=(LAMINA_PACKAGES=keep)
dev 1 run
grep -q apt-get calls && fail "installs although it was told not to"
grep -q 'needs: cmake libyaml-dev' err || fail "does not name what is missing"

settings=(A=b)
stand_in dpkg-query 'printf installed'
dev 1 run
grep -q apt-get calls && fail "calls apt-get where nothing is missing"

# All is built: files that a caller names are those of the caller's folder.
stand_in cmake 'exit 0'
mkdir -p build/release/bin elsewhere
printf '#!/bin/sh\necho "$PWD" "$@"\n' >build/release/bin/lamina
chmod +x build/release/bin/lamina
(cd elsewhere && env PATH="$scratch/bin:$PATH" ../dev run --set input=mine.csv) >out 2>err ||
    fail "does not run from another folder"
grep -qx "$scratch/elsewhere up $scratch/topology/.*/fabric.yaml --set input=mine.csv" out ||
    fail "runs in a folder that is not the caller's"

# The systems that benches are measured beside come with "bench peers", which goes on without them.
settings=(LAMINA_PACKAGES=keep)
stand_in dpkg-query 'case $4 in libck-dev) exit 1 ;; *) printf installed ;; esac'
stand_in cmake 'echo "cmake $*" >>"$CALLS"
[ "$1" = -S ] || exit 0
mkdir -p build/benches/bin
for name in peers copy; do
    printf "#!/bin/sh\necho \$0" >build/benches/bin/bench-$name
done
chmod +x build/benches/bin/*'
dev 0 bench copy
grep -q libck-dev err && fail "wants a peer for a bench that needs none"
grep -q CARGO calls && fail "asks cargo for a bench that needs none"
dev 0 bench
grep -q 'build/benches/bin/bench-copy$' out || fail "does not run all benches"
grep -q 'bench-peers$' out && fail "runs other systems that nobody asked for"
dev 0 bench peers
grep -q 'peers (other systems.*) needs: libck-dev' err || fail "does not name a missing peer"
grep -q 'build/benches/bin/bench-peers$' out || fail "does not run without a peer"
grep -q 'LAM_BENCH_CARGO=ON' calls || fail "does not ask cargo for peers"
settings=(A=b)

dev 0 packages lint
grep -q '^lint: .*: clang-14 .*shellcheck' out || fail "does not list a group"
dev 1 packages fun
dev 1 dance
grep -q 'there is no command dance' err || fail "takes any word for a command"
dev 0 help
grep -q '^usage: ./dev COMMAND' out || fail "does not explain itself"
dev 0
echo "./dev installs what is missing, and only that"
