# SPDX-License-Identifier: Apache-2.0
# Reads Markdown files, with -v root=TREE. Two promises: code that a guide shows is in a file that
# the build compiles, and a link leads somewhere.
#
#   <!-- file: layer0-ring/examples/hello_ring.c -->       the whole file, without its SPDX line
#   <!-- part of: layer0-ring/examples/hello_ring.c -->    some of its lines, in a row
#
# stands on the line before the fence. C without such a line is refused: it would rot.

function refuse(text)
{
    printf "%s:%d: %s\n", FILENAME, FNR, text
    bad = 1
}

# The folder of the file that is being read, with its slash.
function folder(    path)
{
    path = FILENAME
    if (!sub(/\/[^\/]*$/, "/", path))
        path = ""
    return path
}

function exists(path)
{
    gsub(/'/, "'\\''", path)
    return system("test -e '" path "'") == 0
}

# Indentation does not count: a part is often shown without that of its function.
function bare(line)
{
    sub(/^[ \t]+/, "", line)
    sub(/[ \t]+$/, "", line)
    return line
}

# The lines of a file in text[1..], joined by newlines; "" where there is no such file.
function content_of(path,    line, all, first, code)
{
    all = ""
    first = 1
    while ((code = (getline line < path)) > 0) {
        if (!(first && line ~ /SPDX-License-Identifier/))
            all = all bare(line) "\n"
        first = 0
    }
    close(path)
    return code < 0 ? "" : all
}

function check_quote(    text)
{
    text = content_of(root "/" quoted)
    if (text == "")
        refuse("quotes " quoted ", which does not exist")
    else if (whole && text != fence)
        refuse("differs from " quoted)
    else if (!whole && index("\n" text, "\n" fence) == 0)
        refuse("these lines are not in " quoted ", one after the other")
}

function check_links(line,    target)
{
    gsub(/`[^`]*`/, "", line)
    while (match(line, /\]\([^)]*\)/)) {
        target = substr(line, RSTART + 2, RLENGTH - 3)
        line = substr(line, RSTART + RLENGTH)
        sub(/[ \t].*$/, "", target) # a title
        sub(/#.*$/, "", target)     # an anchor
        if (target == "" || target ~ /^[a-z]+:/)
            continue
        if (!exists(folder() target))
            refuse("a link leads nowhere: " target)
    }
}

FNR == 1 { quoted = ""; inside = 0 }

/^<!-- (file|part of): [^ ]+ -->$/ {
    quoted = $(NF - 1)
    whole = $2 == "file:"
    next
}

/^ *```/ {
    if (!inside) {
        inside = 1
        fence = ""
        if (quoted == "" && $0 ~ /^ *```(c|C)$/)
            refuse("C code that no file holds: <!-- file: PATH --> goes before it")
    } else {
        inside = 0
        if (quoted != "")
            check_quote()
        quoted = ""
    }
    next
}

inside { fence = fence bare($0) "\n"; next }
quoted != "" && !/^[ \t]*$/ { refuse("a marker without a fence"); quoted = "" }
{ check_links($0) }

END { exit bad }
