#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# fresh.sh [FOLDER]: what a new user does, in a Debian 12 where nothing is installed but git: clone,
# ./dev run, ./dev test. The system is made by debootstrap in FOLDER (default: one under /var/tmp,
# removed at the end), from the package sources that this machine uses. It runs in name spaces of
# its own: its mounts and its processes are gone when this ends, however this ends.
set -euo pipefail

here=$(dirname "$(readlink -f "$0")")
tree=$(git -C "$here" rev-parse --show-toplevel)
suite=bookworm

say() {
    printf 'fresh: %s\n' "$*" >&2
}

die() {
    say "$*"
    exit 1
}

# Where this machine gets the suite from; the public mirror where it has another suite.
mirror() {
    local found

    # shellcheck disable=SC2016 # fields for apt, not for this shell
    found=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 2>/dev/null |
        awk -v suite="$suite" '$2 == suite && $3 == "main" { print $1; exit }')
    echo "${found:-http://deb.debian.org/debian}"
}

# The way out of this machine: apt's own proxy, or that of the environment.
proxy() {
    local http_setting=''

    eval "$(apt-config shell http_setting Acquire::http::Proxy)"
    echo "${http_setting:-${http_proxy:-}}"
}

bootstrap() {
    local root=$1 file

    http_proxy=$(proxy) debootstrap --variant=minbase --include=git,ca-certificates \
        "$suite" "$root" "$(mirror)" >"$root.log" 2>&1 || {
        tail -n 20 "$root.log" >&2
        die "debootstrap failed"
    }
    # Sources, keys and proxies as they are here, if here is the same suite.
    if grep -qs "^VERSION_CODENAME=$suite" /etc/os-release; then
        rm -f "$root/etc/apt/sources.list"
        for file in sources.list sources.list.d keyrings trusted.gpg.d auth.conf.d apt.conf.d; do
            [[ ! -e /etc/apt/$file ]] || cp -a "/etc/apt/$file" "$root/etc/apt/"
        done
        cp -an /usr/share/keyrings "$root/usr/share/"
    fi
    if [[ -d /usr/local/share/ca-certificates ]]; then
        cp -a /usr/local/share/ca-certificates "$root/usr/local/share/"
        chroot "$root" update-ca-certificates >>"$root.log" 2>&1
    fi
    cp -L /etc/resolv.conf /etc/hosts "$root/etc/"
}

# The second half, inside the name spaces: the least that programs expect of a system.
inside() {
    local root=$1 device

    mount -t proc proc "$root/proc"
    mount --bind -o ro /sys "$root/sys" || say "no /sys: NUMA nodes are not seen"
    mount -t tmpfs -o mode=755,size=1m dev "$root/dev"
    for device in null zero full random urandom tty; do
        touch "$root/dev/$device"
        mount --bind "/dev/$device" "$root/dev/$device"
    done
    ln -s /proc/self/fd "$root/dev/fd"
    mkdir "$root/dev/shm"
    # Capped: shared memory is memory, and a fault in here must not take that of the machine.
    mount -t tmpfs -o mode=1777,size=2g shm "$root/dev/shm"
    command_inside "$root" run
    command_inside "$root" test
}

command_inside() {
    local root=$1 command=$2 started=$SECONDS

    say "./dev $command"
    chroot "$root" /usr/bin/env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 \
        http_proxy="$(proxy)" DEBIAN_FRONTEND=noninteractive \
        sh -c "cd /root/lamina && ./dev $command </dev/null" || die "./dev $command failed"
    say "./dev $command: $((SECONDS - started)) s"
}

main() {
    local root=${1:-} started=$SECONDS

    [[ $(id -u) == 0 ]] || die "needs root: it makes a system in a folder (sudo ./dev fresh)"
    command -v debootstrap >/dev/null || die "needs debootstrap: apt-get install debootstrap"
    if [[ -z $root ]]; then
        root=$(mktemp -d /var/tmp/lamina-fresh.XXXXXX)
        # shellcheck disable=SC2064 # the folder of now
        trap "rm -rf --one-file-system '$root' '$root.log'" EXIT
    fi
    mkdir -p "$root"
    chmod 755 "$root"

    bootstrap "$root"
    say "a bare Debian 12 in $root: $((SECONDS - started)) s," \
        "$(chroot "$root" dpkg-query -f '.\n' -W | wc -l) packages"
    git clone --quiet --no-local "$tree" "$root/root/lamina"
    say "commit $(git -C "$root/root/lamina" log -1 --format='%h %s')"
    unshare --mount --propagation private --pid --fork --kill-child "$0" --inside "$root"
    say "both commands pass in a bare system: $((SECONDS - started)) s in all"
}

if [[ ${1:-} == --inside ]]; then
    inside "$2"
else
    main "$@"
fi
