#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What messages offer is what the headers say: a program that includes a header of src/ or calls
# what is declared there alone does not compile, the same program without that does; and the names
# of the public calls are those of public_names.txt, so that none changes unseen.
# Usage: public_names.sh CC
set -u

cc=$1
source=$LAMINA_SOURCE
headers=$source/layer1-framed/include/lamina/framed
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

compiles() {
    "$cc" -std=gnu11 -Werror=implicit-function-declaration -fsyntax-only \
        -I "$source/layer1-framed/include" -I "$source/layer0-ring/include" \
        -I "$source/layer0-ring/base/include" "$work/program.c" 2>"$work/log"
}

# refuses LINE-BEFORE STATEMENT: the twin without them compiles, the one with them does not.
refuses() {
    for with in no yes; do
        {
            echo '#include "lamina/framed/framed.h"'
            [ $with = yes ] && echo "$1"
            echo 'int main(void) { struct lam_framed_receiver *r = 0; (void)r;'
            [ $with = yes ] && echo "$2"
            echo 'return 0; }'
        } >"$work/program.c"
        if compiles; then result=yes; else result=no; fi
        if [ $with = $result ]; then
            echo "with \"$1 $2\": $with, compiles: $result"
            cat "$work/log"
            exit 1
        fi
    done
}

refuses '#include "assemble.h"' ''
refuses '#include "lamina/framed/assemble.h"' ''
refuses '#include "outgoing.h"' ''
refuses '' 'lam_framed_receiver_fetch(r, 0);'
refuses '' 'lam_outgoing_open(0, 1, 1, 0, 0);'
refuses '' 'int state = STATE_ASSEMBLING; (void)state;'
refuses '' 'struct frame frame; (void)frame;'

for header in batch many message receiver required sender stream take window; do
    grep -ohE '\blam_(framed|window)_[a-z0-9_]+\(' "$headers/$header.h"
done | tr -d '(' | sort -u >"$work/names"
diff "$source/tests/layer1-framed/public_names.txt" "$work/names" || {
    echo "< public_names.txt has, > the headers have"
    exit 1
}
