#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# fences.sh SOURCE: each fence of cmake/LaminaFences.cmake bites. Method: a house of two floors made
# with the real functions, which must build; then one mutation at a time, which must be refused by
# the step that is to refuse it. The lawful house is the positive twin of every mutant: the same
# files, one line apart.
set -euo pipefail

source_tree=$1
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failures=0

# Two floors: framed (2) over ring (1), each with one public header and one source.
lawful_house() {
    rm -rf "$scratch/house"
    mkdir -p "$scratch/house"
    cd "$scratch/house"
    mkdir -p ring/{src,include/lamina/ring} framed/{src,include/lamina/framed} tests/architecture
    cp "$source_tree/tests/architecture/closure.c" tests/architecture/
    cat >CMakeLists.txt <<END
cmake_minimum_required(VERSION 3.24)
project(house C)
set(LAM_FLOOR_ring 1)
set(LAM_FLOOR_framed 2)
set(LAMINA_WITH_TESTS ON)
list(APPEND CMAKE_MODULE_PATH $source_tree/cmake)
include(LaminaLayer)
add_subdirectory(ring)
add_subdirectory(framed)
END
    echo 'lam_layer(ring SOURCES src/ring.c)' >ring/CMakeLists.txt
    echo 'lam_layer(framed SOURCES src/framed.c PUBLIC ring)' >framed/CMakeLists.txt
    header ring 'int lam_ring_depth(void);' >ring/include/lamina/ring/ring.h
    header framed '#include "lamina/ring/ring.h"' 'int lam_framed_send(void);' \
        >framed/include/lamina/framed/framed.h
    printf '%s\n' '#include "lamina/ring/ring.h"' \
        'int lam_ring_depth(void) { return 1; }' >ring/src/ring.c
    printf '%s\n' '#include "lamina/framed/framed.h"' \
        'int lam_framed_send(void) { return lam_ring_depth(); }' >framed/src/framed.c
}

# header NAME LINE...
header() {
    local guard=LAM_${1^^}_H

    shift
    printf '%s\n' "#ifndef $guard" "#define $guard" '#ifdef __cplusplus' 'extern "C" {' '#endif'
    printf '%s\n' "$@"
    printf '%s\n' '#ifdef __cplusplus' '}' '#endif' '#endif'
}

configure() {
    cmake -G Ninja -S . -B build >log 2>&1
}

build() {
    cmake --build build --target "${1:-all}" >log 2>&1
}

# refused STEP WHAT PATTERN: the mutant of the house fails at STEP ("configure", or a target),
# saying PATTERN, and not before.
refused() {
    local step=$1 what=$2 pattern=$3

    if [[ $step == configure ]]; then
        configure && complain "not refused: $what"
    else
        configure || complain "does not even configure: $what"
        build "$step" && complain "not refused: $what"
    fi
    grep -qE "$pattern" log || complain "refused for another reason than \"$pattern\": $what"
}

complain() {
    echo "$1"
    tail -n 12 log
    failures=$((failures + 1))
}

lawful_house
configure || complain "the lawful house does not configure"
build || complain "the lawful house does not build"
build all_verify_interface_header_sets || complain "a lawful header does not stand alone"

# 1. the floor check
lawful_house
echo 'lam_layer(ring SOURCES src/ring.c PUBLIC framed)' >ring/CMakeLists.txt
refused configure "a dependency upward" 'ring \(floor 1\) must not depend on'
lawful_house
echo 'lam_layer(ring SOURCES src/ring.c PUBLIC ringg)' >ring/CMakeLists.txt
refused configure "a dependency on no floor" 'ringg, which is no floor'
lawful_house
sed -i '/add_subdirectory(ring)/d' CMakeLists.txt
refused configure "a dependency that is left out" 'ring, which this build leaves out'

# 2. the include scope
lawful_house
sed -i '1i #include "lamina/framed/framed.h"' ring/src/ring.c
refused all "an include upward" 'lamina/framed/framed.h: No such file'

# 3. the closure
lawful_house
printf '%s\n' '#include "lamina/ring/ring.h"' 'int lam_framed_send(void);' \
    'int lam_ring_depth(void) { return lam_framed_send(); }' >ring/src/ring.c
refused all "a declaration copied by hand" 'undefined reference to .lam_framed_send'

# 4. the header check, by our function and by CMake's
lawful_house
echo 'lam_layer(framed SOURCES src/framed.c PRIVATE ring)' >framed/CMakeLists.txt
refused all "a public header over a private layer" 'lamina/ring/ring.h: No such file'
refused all_verify_interface_header_sets "the same, by CMake's check" 'No such file'
lawful_house
header ring 'int lam_ring_depth(void);' 'uint64_t lam_ring_bytes(void);' \
    >ring/include/lamina/ring/ring.h
sed -i '1i #include <stdint.h>' ring/src/ring.c
refused all "a header that leans on who includes it" "(uint64_t. does not name|unknown type name)"
lawful_house
header ring 'int lam_ring_depth(void);' 'int lam_ring_new(int class);' \
    >ring/include/lamina/ring/ring.h
refused all "a header that only C can read" 'ring_headers.*\.cc'
lawful_house
echo 'struct lam_ring { int depth; };' >>ring/include/lamina/ring/ring.h
refused all "a header that cannot be read twice" 'redefinition of .struct lam_ring'

# 5. what climbs over all of them is for the tidy test
lawful_house
sed -i '1i #include "../../framed/include/lamina/framed/framed.h"' ring/src/ring.c
sed -i '2i #include "../../ring/include/lamina/ring/ring.h"' ring/src/ring.c
if "$source_tree/tests/architecture/tidy.sh" . >log; then complain "tidy lets an include climb"; fi
grep -q 'ring.c:1: include: ' log || complain "tidy does not name the climbing include"

[[ $failures == 0 ]] && echo "every fence bites, and the lawful house stands"
exit $((failures > 0))
