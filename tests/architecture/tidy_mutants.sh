#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Goal: tidy.sh refuses what it says it refuses, and nothing else. Method: a small lawful tree that
# must pass, full of what only looks forbidden; then the same tree with one rule broken at a time,
# which must be refused under the name of that rule.
set -euo pipefail

tidy=$(dirname "$(readlink -f "$0")")/tidy.sh
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failures=0
spdx='/* SPDX-License-Identifier: Apache-2.0 */'

lawful_tree() {
    mkdir -p layer0-ring/{src,base/include/lamina/base,include/lamina/ring} topology/src
    touch layer0-ring/README.md layer0-ring/base/README.md topology/README.md
    cat >layer0-ring/CMakeLists.txt <<'END'
lam_layer(ring SOURCES src/create.c src/ring.c PUBLIC base)
END
    cat >topology/CMakeLists.txt <<'END'
lam_layer(topology SOURCES src/plan.c PRIVATE ring)
END
    cat >layer0-ring/base/include/lamina/base/atomic.h <<END
$spdx
#ifndef LAM_BASE_ATOMIC_H
#define LAM_BASE_ATOMIC_H
#include <stdatomic.h>
typedef _Atomic uint64_t lam_atomic_u64;
#define lam_pause() __asm__ __volatile__("isb" ::: "memory")
#endif
END
    cat >layer0-ring/include/lamina/ring/ring.h <<END
$spdx
#ifndef LAM_RING_RING_H
#define LAM_RING_RING_H
#include "lamina/base/atomic.h"
typedef void (*lam_visit_fn)(void);
#endif
END
    cat >layer0-ring/src/layout.h <<END
$spdx
#ifndef LAM_RING_LAYOUT_H
#define LAM_RING_LAYOUT_H
struct layout;
#endif
END
    cat >layer0-ring/src/create.c <<END
$spdx
#include "layout.h"
void *space(
    void)
{
    return malloc(1);
}
END
    cat >layer0-ring/src/ring.c <<END
$spdx
#include "layout.h"
void *lam_ring_attach_reader(void)
{
    return malloc(1);
}
/* A comment may say volatile, malloc(), gt() and atomic_load(). */
static int weight(int), right = weight(1);
static const char *text = "volatile malloc(1) __sync_ /* \" still text";
static const char pattern[] = "/tmp/lamina.XXXXXX"; /* a
 * comment of two lines that says _Atomic */
static int no_malloced_atomics(void)
{
$(for _ in $(seq 70); do echo '    step();'; done)
}
static const int numbers[] =
{
$(for _ in $(seq 71); do echo '    1,'; done)
};
END
    printf '%s\n#include "lamina/ring/ring.h"\nvoid *p(void)\n{\n    return malloc(1);\n}\n' \
        "$spdx" >topology/src/plan.c
    printf '#!/bin/sh\n# SPDX-License-Identifier: Apache-2.0\n' >dev
    printf 'set(a_column %s)\n' "$(printf '%084d' 0)" >limits.cmake
}

fresh_tree() {
    rm -rf "$scratch/tree"
    mkdir "$scratch/tree"
    cd "$scratch/tree"
    lawful_tree
}

# mutant RULE WHAT COMMAND...: COMMAND breaks the lawful tree.
mutant() {
    local rule=$1 what=$2 found

    shift 2
    fresh_tree
    "$@"
    if found=$("$tidy" .); then
        echo "not refused: $what ($rule)"
        failures=$((failures + 1))
    elif ! grep -q ": $rule: " <<<"$found"; then
        printf 'refused for another reason: %s (%s)\n%s\n' "$what" "$rule" "$found"
        failures=$((failures + 1))
    elif [[ $(wc -l <<<"$found") != 1 ]]; then
        printf 'refused more than once: %s (%s)\n%s\n' "$what" "$rule" "$found"
        failures=$((failures + 1))
    fi
}

# shellcheck disable=SC2317 # mutant calls it
append() {
    printf '%s\n' "$2" >>"$1"
}


fresh_tree
if ! found=$("$tidy" .); then
    printf 'the lawful tree is refused:\n%s\n' "$found"
    failures=$((failures + 1))
fi

ring=layer0-ring/src/ring.c
header=layer0-ring/include/lamina/ring/ring.h
mutant include "an include that climbs" append $ring '#include "../../layer1-framed/x.h"'
mutant include "an include that says where it stands" append $ring '#include "./layout.h"'
mutant volatile "a volatile word" append $ring 'static volatile int flag;'
mutant volatile "a barrier outside its home" append $ring '__asm__ __volatile__("" ::: "memory");'
mutant volatile "a volatile in atomic.h" \
    append layer0-ring/base/include/lamina/base/atomic.h 'static volatile int flag;'
mutant atomics "a sync builtin" append $ring 'x = __sync_fetch_and_add(&y, 1);'
mutant atomics "an atomic builtin" append $ring 'x = __atomic_load_n(&y, 2);'
mutant atomics "a C11 atomic" append $ring 'x = atomic_load(&y);'
mutant atomics "an atomic type" append topology/src/plan.c 'static _Atomic int x;'
mutant atomics "the header of raw atomics" append $ring '#include <stdatomic.h>'
mutant allocation "malloc on the data path" append $ring 'void *p = malloc(1);'
mutant allocation "calloc after a comment" append $ring '/* why */ void *p = calloc(1, 1);'
mutant unfinished "a note to oneself" append $ring "/* TO""DO: later */"
mutant unfinished "a note in a README" append layer0-ring/README.md "FIX""ME"
mutant unfinished "three crosses" append layer0-ring/CMakeLists.txt "# XX""X"
mutant place "a path of a workplace" append dev "cd /wo""rk/main"
mutant "line length" "101 columns" append $ring "/* $(printf '%095d' 0) */"
mutant "line length" "101 columns of CMake" append limits.cmake "# $(printf '%099d' 0)"
mutant licence "a source without the SPDX line" sed -i 1d $ring
mutant licence "a script without the SPDX line" sed -i 2d dev
mutant guard "the guard of another header" sed -i s/LAM_RING_RING_H/LAM_RING_RIG_H/ $header
mutant guard "a header without a guard" sed -i '/^#ifndef/d; /^#define/d; /^#endif/d' $header
mutant guard "a private guard of another name" \
    sed -i s/LAM_RING_LAYOUT_H/LAM_RING_LAYER_H/ layer0-ring/src/layout.h
mutant typedef "a struct behind a typedef" append $header 'typedef struct ring ring_t;'
mutant assertion "a gt() of Criterion's" append $ring 'cr_assert(gt(int, count, 0));'
mutant "function length" "a function of 71 lines" sed -i '0,/^    step();/s//    step();\n&/' $ring
mutant "file length" "a file of 501 lines" append $ring "$(yes '' | head -500; echo end)"
mutant "dead file" "a source that is not built" append layer0-ring/src/old.c "$spdx"
mutant "dead file" "a header that nothing includes" eval \
    "sed s/LAYOUT/OLD/ layer0-ring/src/layout.h >layer0-ring/src/old.h"
mutant guide "a layer without a guide" rm layer0-ring/README.md
mutant guide "a base without a guide" rm layer0-ring/base/README.md

[[ $failures == 0 ]] && echo "every rule bites, and the lawful tree passes"
exit $((failures > 0))
