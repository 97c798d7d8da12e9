#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Nothing of the sequencer calls the system but its env: what the objects of the archive leave
# undefined is Lamina's, the archive's own, or in the list of what needs no system. Whatever is
# not is told with its object.
#
# Usage: calls.sh SOURCE_TREE CC NM ARCHIVE
set -u
tree=$1 cc=$2 nm=$3 archive=$4

# Memory, text and arithmetic: no clock, no file, no thread.
allowed='mem(cpy|move|set|cmp|chr)|str(len|cmp|ncmp|chr|rchr|nlen|toull|toul|spn|cspn)|'
allowed+='malloc|calloc|realloc|free|aligned_alloc|posix_memalign|v?snprintf|qsort|bsearch|abort|'
allowed+='__(mem|str|v?snprintf)[a-z]*_chk|__stack_chk_fail|__errno_location|_GLOBAL_OFFSET_TABLE_|'
allowed+='__isoc(99|23)_sscanf|__cpu_model|__cpu_indicator_init|__tls_get_addr|blake3_[a-z_0-9]+|'
allowed+='strerror(desc_np)?|explicit_bzero|__explicit_bzero_chk|lam_[a-z0-9_]+'

# Signatures are libcrypto's; what it is given lies in memory.
allowed_crypto='(EVP|ERR|BIO|PEM)_[A-Za-z0-9_]+'

# Objects that are the system's side of the house, each with why.
exempt=$(find "$tree/sequencer/src/env" -name '*.c' -printf '%f\n')

# check ARCHIVE: prints what is wrong; ends with 1 when there was anything.
check() {
    local object='' kind symbol own names bad=0

    own=" $("$nm" --defined-only "$1" 2>/dev/null | awk 'NF == 3 {print $3}' | tr '\n' ' ')"
    while read -r kind symbol; do
        names=$allowed
        [[ $object == ed25519.c.o ]] && names+="|$allowed_crypto"
        if [[ -z $symbol && $kind == *.o: ]]; then
            object=${kind%:}
        elif [[ $kind == U && $own != *" $symbol "* && ! $symbol =~ ^($names)$ ]] &&
            ! grep -qx "${object%.o}" <<<"$exempt"; then
            echo "$object calls $symbol: the system is called by sequencer/src/env alone"
            bad=1
        fi
    done < <("$nm" --undefined-only "$1" | sed 's/^ *//')
    return "$bad"
}

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

# First itself: an object that tells the time is found, and named with what it calls.
echo '#include <time.h>
long late(void); long late(void) { struct timespec t; clock_gettime(0, &t); return t.tv_sec; }' |
    "$cc" -x c -c -o "$work/late.c.o" - && ar rc "$work/late.a" "$work/late.c.o" || exit 1
if found=$(check "$work/late.a") || [[ $found != 'late.c.o calls clock_gettime:'* ]]; then
    echo "an object that calls clock_gettime is not found: $found"
    exit 1
fi

objects=$(ar t "$archive" | grep -c '\.o$')
check "$archive" || exit 1
echo "$objects objects call nothing but env"
[[ $objects -gt 0 ]]
