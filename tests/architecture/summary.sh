#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# summary.sh SOURCE: what CTest runs is reported as what it was. A project of tests that end in
# every way is built with the functions that all tests here use, run, and summed up as by ./dev.
set -euo pipefail

source_tree=$1
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"

if ! cmake -G Ninja -S "$source_tree/tests/architecture/summary" -B release \
    -DLAMINA_SOURCE="$source_tree" >log 2>&1 || ! cmake --build release >>log 2>&1; then
    cat log
    exit 1
fi
ctest --test-dir release --output-junit "$scratch/release/tests.xml" >log 2>&1 || true

cat >wanted <<'END'
skipped  endings.endings.skips: no data: set LAMINA_TEST_DATA
skipped  skips: no <data> & no "time"
FAILED   crashes
FAILED   endings.endings.crashes
FAILED   endings.endings.disabled: Error regular expression found in output. Regex=[Tested: 0 ]
FAILED   endings.endings.fails
FAILED   fails
FAILED   hangs
FAILED   is_not_built: Unable to find executable
FAILED   passes_with_a_report: Error regular expression found in output. Regex=[runtime error:]
FAILED   skips_silently: skipped itself without a reason
3 passed, 9 failed, 2 skipped
END
summary() {
    awk "$@" -f "$source_tree/tests/support/summary.awk" release/tests.xml
}
if summary >found; then
    echo "a summary with failures ends with 0"
    exit 1
fi
# The order within each kind is CTest's own.
for kind in skipped FAILED [0-9]; do grep "^$kind" found | sort; done >sorted
diff wanted sorted

# Under a failed test stands the end of its output: so many lines, so wide, and no blank ones.
{
    echo 'FAILED   fails'
    printf '    line %s <is>\n' {1..11}
    printf '    %0160d\n' 0
} >wanted
grep -A 12 '^FAILED   fails$' found | diff wanted -
grep -A 13 '^FAILED   fails$' found | tail -n 1 | grep -q '^[^ ]'
grep -A 12 '^FAILED   endings.endings.fails$' found | grep -q '^    .*endings.c:[0-9]*: Assertion'

# What passes at its second try is told and counted apart, and what fails again is a failure.
cat >release/again.xml <<'END'
	<testcase name="fails" status="run">
	</testcase>
	<testcase name="crashes" status="fail">
	</testcase>
END
awk -f "$source_tree/tests/support/summary.awk" release/again.xml release/tests.xml >found || true
grep -A 1 '^UNSTABLE release fails: failed, and passed alone$' found | grep -q '^    line 1 <is>'
grep -qx 'FAILED   release crashes' found
tail -n 1 found | grep -qx '3 passed, 8 failed, 2 skipped, 1 UNSTABLE'

# A phase that failed without a failed test counts as one, the phase of these tests does not again.
summary -v phases="lint test" >found || true
grep -qx 'FAILED   the phase lint' found
tail -n 1 found | grep -qx '3 passed, 10 failed, 2 skipped'

# A name that no test has is a failure, where Criterion says success.
sed -i 's|--filter endings/passes |--filter endings/gone |' release/endings-entries.cmake
ctest --test-dir release -R endings.endings.passes --output-junit "$scratch/release/tests.xml" \
    >log 2>&1 || true
summary >found || true
tail -n 1 found | grep -qx '0 passed, 1 failed, 0 skipped'
echo "every ending is reported as what it was"
