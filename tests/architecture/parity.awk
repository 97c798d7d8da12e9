# SPDX-License-Identifier: Apache-2.0
# Reads the ledger (tests/parity.csv). -v root=TREE, -v tests=FILE with a CTest entry a line, -v
# benches=FILE with a bench a line; with -v report=1 it only counts, by area.
#
# status: "kept" names what keeps the promise; "planned" is to come, in its area; "nongoal" is left
# out for the reason in the promise. A row that is kept names a test, or for a figure a bench, and
# a file of the tree; what it names exists. Columns may hold several names, with spaces between.

function refuse(text)
{
    printf "parity.csv:%d: %s: %s\n", FNR, cell["id"], text
    bad = 1
}

# Splits a line of comma-separated values into value[1..]; returns how many, 0 when it is malformed.
function split_line(line, value,    count, at)
{
    count = 0
    line = line ","
    while (line != "") {
        if (line ~ /^"/) {
            if (!match(line, /^"([^"]|"")*",/))
                return 0
            value[++count] = substr(line, 2, RLENGTH - 3)
            gsub(/""/, "\"", value[count])
            line = substr(line, RLENGTH + 1)
        } else {
            at = index(line, ",")
            value[++count] = substr(line, 1, at - 1)
            line = substr(line, at + 1)
        }
    }
    return count
}

function read_names(path, names,    line)
{
    while ((getline line < path) > 0)
        names[line] = 1
    close(path)
}

function check_names(column, known,    count, name, i)
{
    count = split(cell[column], name, " ")
    for (i = 1; i <= count; i++)
        if (!(name[i] in known))
            refuse("there is no " column " called " name[i])
}

function check_files(    count, name, i)
{
    count = split(cell["header"], name, " ")
    for (i = 1; i <= count; i++)
        if (system("test -f '" root "/" name[i] "'") != 0)
            refuse("there is no file " name[i])
}

function check_row()
{
    if (cell["id"] in seen)
        refuse("is there twice")
    seen[cell["id"]] = 1
    if (cell["promise"] == "" || cell["area"] == "")
        refuse("has no promise, or no area")
    if (cell["kind"] !~ /^(feature|figure|example|nongoal)$/)
        refuse("kind is " cell["kind"])
    if ((cell["kind"] == "nongoal") != (cell["status"] == "nongoal"))
        refuse("kind and status differ about a nongoal")

    if (cell["status"] == "kept") {
        if (cell["header"] == "")
            refuse("is kept, but names no file")
        if (cell["kind"] == "figure" ? cell["bench"] == "" : cell["test"] == "")
            refuse("is kept, but nothing shows it")
    } else if (cell["status"] !~ /^(planned|nongoal)$/) {
        refuse("status is " cell["status"])
    } else if (cell["test"] cell["bench"] != "" && cell["note"] == "") {
        refuse("is not kept, although tests are named: the note says why")
    }
    check_files()
    check_names("test", known_tests)
    check_names("bench", known_benches)
}

BEGIN {
    read_names(tests, known_tests)
    read_names(benches, known_benches)
    split("id system promise area kind status header test bench note", columns, " ")
}

FNR == 1 {
    if ($0 != "id,system,promise,area,kind,status,header,test,bench,note")
        refuse("the first line names other columns: " $0)
    next
}

{
    split("", value)
    if (split_line($0, value) != 10) {
        refuse("has not 10 columns")
        next
    }
    for (i = 1; i <= 10; i++)
        cell[columns[i]] = value[i]
    count[cell["area"], cell["status"]]++
    areas[cell["area"]] = 1
    rows++
    if (!report)
        check_row()
}

END {
    if (report) {
        printf "%-14s %8s %8s %8s\n", "area", "kept", "planned", "nongoal"
        for (area in areas)
            printf "%-14s %8d %8d %8d\n", area, count[area, "kept"], count[area, "planned"],
                count[area, "nongoal"] | "sort"
        close("sort")
    }
    if (rows == 0) {
        print "the ledger is empty"
        bad = 1
    }
    exit bad
}
