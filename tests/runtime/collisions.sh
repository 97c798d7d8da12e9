#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A module with two methods of one id does not build, where the compiler optimises, and says why;
# without the second one it does, by the one line that is promised. Usage: collisions.sh CC
set -u

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
cat >"$work/m.c" <<'END'
#include "lamina/runtime/module.h"

static int echo(struct lam_call *call)
{
    return lam_call_answer(call, call->request, call->request_bytes);
}

#define METHODS(METHOD) METHOD(echo, "echo", 0) METHOD(echo, OTHER, 0)
LAM_MODULE("text", LAM_VERSION(1, 0, 0), METHODS, .features = LAM_MODULE_CONCURRENT);
END

build() {
    "$1" -shared -fPIC -O2 -I"$LAMINA_SOURCE/runtime/include" -DOTHER="\"$2\"" \
        -o "$work/m.so" "$work/m.c" 2>"$work/log"
}

build "$1" other || { cat "$work/log"; exit 1; }
# What is not a literal has no id.
cat >"$work/id.c" <<'END'
#include "lamina/runtime/module.h"
uint32_t id(const char *name) { return LAM_METHOD_ID(name); }
END
if "$1" -c -I"$LAMINA_SOURCE/runtime/include" -o "$work/id.o" "$work/id.c" 2>"$work/log"; then
    echo "the id of a pointer was built"
    exit 1
fi
# Two names that share one id, as 32 bits of FNV-1a have it.
sed -i 's/METHOD(echo, "echo", 0)/METHOD(echo, "costarring", 0)/' "$work/m.c"
for name in costarring liquid; do
    if build "$1" "$name"; then
        echo "two methods of one id were built: costarring and $name"
        exit 1
    fi
    grep -q two_methods_have_the_id "$work/log" || { cat "$work/log"; exit 1; }
done
