# SPDX-License-Identifier: Apache-2.0
# Reads the reports that CTest wrote (--output-junit) and says what ran: a line for each skipped
# test with its reason, a line for each failed one and under it how its output ends, and last the
# counts.
#
# A report called again.xml, before the one that it belongs to, has what was tried once more, alone:
# a test that failed and then passed is UNSTABLE, which has a line of its own and is counted.
#
# With -v phases="NAME ...", phases that failed: one without a failed test counts as a failure.
# Ends with 1 when a test failed, or skipped itself without a reason: a skip is never silent.

# Of each of the first failed tests so many lines, cut to so many columns: enough to see why.
BEGIN {
    TOLD_TESTS = 20
    TOLD_LINES = 12
    TOLD_COLUMNS = 160
}

function plain(text)
{
    gsub(/&lt;/, "<", text)
    gsub(/&gt;/, ">", text)
    gsub(/&quot;/, "\"", text)
    gsub(/&amp;/, "\\&", text)
    return text
}

function attribute(name,    found)
{
    if (!match($0, name "=\"[^\"]*\""))
        return ""
    found = substr($0, RSTART + length(name) + 2, RLENGTH - length(name) - 3)
    return plain(found)
}

# A Criterion entry names its reason after its own test; a plain program ends with it.
function output_line(line,    own)
{
    if (line ~ /^[ \t]*$/)
        return
    last_line = line
    last_lines[++line_count % TOLD_LINES] = line
    own = test
    sub(/^[^.]*\./, "", own)
    sub(/\./, "::", own)
    if (index(line, "[SKIP] " own ": ") == 1)
        skip_line = substr(line, length("[SKIP] " own ": ") + 1)
}

function reason(    text)
{
    text = skip_line != "" ? skip_line : last_line
    sub(/^ *skip(ped)?: */, "", text)
    return text
}

function ending(    i, text)
{
    for (i = line_count - TOLD_LINES + 1; i <= line_count; i++)
        if (i > 0)
            text = text "    " substr(last_lines[i % TOLD_LINES], 1, TOLD_COLUMNS) "\n"
    return text
}

function finish()
{
    if (is_again) {
        passed_again[preset, test] = status == "run"
    } else if (status == "run") {
        passed++
    } else if (message ~ /^SKIP_/ && reason() != "") {
        skipped++
        skip_report = skip_report sprintf("skipped  %s%s: %s\n", preset, test, reason())
    } else if (passed_again[preset, test]) {
        unstable++
        fail_report = fail_report sprintf("UNSTABLE %s%s: failed, and passed alone\n%s", preset,
            test, ending())
    } else {
        if (message ~ /^SKIP_/)
            message = "skipped itself without a reason"
        failed++
        failed_in[phase]++
        fail_report = fail_report sprintf("FAILED   %s%s%s\n", preset, test,
            message == "" ? "" : ": " message) (failed <= TOLD_TESTS ? ending() : "")
    }
}

FNR == 1 {
    # build/PRESET/tests.xml; the name of the preset is said only where there are several reports.
    preset = FILENAME
    sub(/\/[^\/]*$/, "", preset)
    sub(/.*\//, "", preset)
    phase = preset == "release" ? "test" : preset
    preset = ARGC > 2 ? preset " " : ""
    is_again = FILENAME ~ /again\.xml$/
}

/<testcase name=/ {
    test = attribute("name")
    status = attribute("status")
    message = skip_line = last_line = ""
    line_count = 0
}
/<(skipped|failure) message=/ { message = attribute("message") }
/<system-out>/ {
    inside = 1
    sub(/.*<system-out>/, "")
}
inside {
    line = $0
    sub(/<\/system-out>.*/, "", line)
    output_line(plain(line))
}
/<\/system-out>/ { inside = 0 }
/<\/testcase>/ { finish() }

END {
    # What failed beside the tests of these reports: lint, a build, a bench.
    count = split(phases, names, " ")
    for (i = 1; i <= count; i++) {
        if (!(names[i] in failed_in)) {
            failed++
            fail_report = fail_report sprintf("FAILED   the phase %s\n", names[i])
            failed_in[names[i]] = 1
        }
    }
    printf "%s%s", skip_report, fail_report
    printf "%d passed, %d failed, %d skipped%s\n", passed, failed, skipped,
        unstable == 0 ? "" : sprintf(", %d UNSTABLE", unstable)
    exit failed > 0
}
