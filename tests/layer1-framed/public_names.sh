#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What this layer offers is what its headers say: a program that includes a header of src/ or calls
# what is declared there alone does not compile, the same program without that does; and the names
# of the public calls of all headers are those of public_names.txt, so that none changes unseen.
# Usage: public_names.sh CC
set -u

# One order of names, whatever the user speaks.
LC_ALL=C
export LC_ALL

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

# names_of FOLDER: what its headers declare or call.
names_of() {
    find "$1" -name '*.h' -exec grep -ohE '\blam_[a-z0-9_]+\(' {} + | tr -d '(' | sort -u
}

# What they call of layer 0 is none of this layer's.
{
    names_of "$source/layer0-ring/include"
    names_of "$source/layer0-ring/base/include"
} | sort -u >"$work/below"
names_of "$headers" | comm -23 - "$work/below" >"$work/names"
diff "$source/tests/layer1-framed/public_names.txt" "$work/names" || {
    echo "< public_names.txt has, > the headers have"
    exit 1
}
