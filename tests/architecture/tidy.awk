# SPDX-License-Identifier: Apache-2.0
# The rules of style that are read off single files; tidy.sh says which files. -v layered=1 holds
# a file to the rules of the layers themselves, -v prose=1 only to those for every text.
#
# Prints "file:line: rule: what is wrong" and ends with 1 when there was anything.

function refuse(rule, text)
{
    printf "%s:%d: %s: %s\n", file, line_number, rule, text
    bad = 1
}

# Is @word in @text, as a whole word?
function has_word(text, word)
{
    return text ~ ("(^|[^A-Za-z0-9_])" word "([^A-Za-z0-9_]|$)")
}

# The line without its comments and without what is between quotes.
function code_of(line,    at)
{
    gsub(/\\["'\\]/, "", line)
    gsub(/'"'/, "''", line)
    gsub(/"[^"]*"/, "\"\"", line)
    gsub(/'[^']*'/, "''", line)
    if (in_comment) {
        at = index(line, "*/")
        if (!at)
            return ""
        line = substr(line, at + 2)
        in_comment = 0
    }
    gsub(/\/\*([^*]|\*+[^*\/])*\*+\//, " ", line)
    sub(/\/\/.*/, "", line)
    at = index(line, "/*")
    if (at) {
        in_comment = 1
        line = substr(line, 1, at - 1)
    }
    return line
}

# A private header may say less of its folder than a public one, never its own name wrongly.
function check_guard(    parts, count, want)
{
    count = split(file, parts, "/")
    want = toupper(parts[count])
    gsub(/[^A-Z0-9]/, "_", want)
    if (file ~ /include\/lamina\/[^\/]*\/[^\/]*$/) {
        want = "LAM_" toupper(parts[count - 1]) "_" want
        if (guard != want)
            refuse("guard", "expected " want ", found " (guard == "" ? "none" : guard))
    } else if (guard !~ ("^(LAM|TEST)_([A-Z0-9]+_)*" want "$")) {
        refuse("guard", "expected LAM_..._" want ", found " (guard == "" ? "none" : guard))
    }
}

function finish_file()
{
    if (is_header)
        check_guard()
    if (is_code && line_number > 500)
        refuse("file length", line_number " lines; over 500 a file has more than one subject")
}

function start_file()
{
    file = FILENAME
    line_number = 1
    in_comment = 0
    function_start = 0
    guard = ""
    is_header = file ~ /\.h$/
    is_code = !prose && file ~ /\.(c|h|cc)$/
    is_atomics = file ~ /(^|\/)base\/include\/lamina\/base\/atomic\.h$/
    signature = ""
    file_name = file
    sub(/.*\//, "", file_name)
}

BEGIN {
    raw_atomics = "__sync_|__atomic_|memory_order_|<stdatomic\\.h>|" \
        "(^|[^a-z_])atomic_(load|store|exchange|fetch|compare|thread|signal|init|flag)"
    openers = "(^|[^a-z])(create|attach|open)([^a-z]|$)"
    allocators = "(malloc|calloc|realloc|aligned_alloc|posix_memalign|strdup|strndup|asprintf)"
}

FNR == 1 {
    if (NR > 1)
        finish_file()
    start_file()
    if (is_code && $0 != "/* SPDX-License-Identifier: Apache-2.0 */")
        refuse("licence", "the first line is the SPDX line")
}

{ line_number = FNR }

# --- every text -----------------------------------------------------------------------------------

has_word($0, "FIX" "ME") || has_word($0, "TO" "DO") || has_word($0, "XX" "X") {
    refuse("unfinished", "what is not done goes into the ledger, not into a comment")
}
/\/wo[r]k\/|\/tmp\/[h]\/|\/\.li[b]rary/ { refuse("place", "a path of somebody's machine") }

!prose {
    text = $0
    gsub(/[\200-\277]/, "", text) # UTF-8: one column for each character
    if (length(text) > 100)
        refuse("line length", length(text) " columns, 100 are allowed")
}

# --- C --------------------------------------------------------------------------------------------

!is_code { next }

/^[ \t]*#[ \t]*include[ \t]*"\.\.?\// {
    refuse("include", "an include names its layer, it does not climb")
}

is_header && guard == "" && /^#ifndef / { guard = $2 }

{ code = code_of($0) }

layered && has_word(code, "(volatile|__volatile__|__volatile)") {
    # A compiler barrier around a spin hint is the one lawful use, and has one home.
    if (!(is_atomics && code ~ /__asm__ __volatile__/))
        refuse("volatile", "shared words are lam_atomic_u32 and lam_atomic_u64")
}

layered && !is_atomics && (code ~ raw_atomics || has_word(code, "_Atomic")) {
    refuse("atomics", "through the order-named functions of lamina/base/atomic.h")
}

# The line at the margin that opened the function we are in.
code ~ /^[A-Za-z_].*\(/ { signature = code }

# Lawful in a file, or in a function, that is called after what it does.
bounded && has_word(code, allocators) && (file_name " " signature) !~ openers {
    refuse("allocation", "in layers 0 to 3 only create, attach and open allocate")
}

has_word(code, "typedef") && code ~ /typedef[ \t]+(struct|union)[ \t]/ {
    refuse("typedef", "a struct is called a struct")
}

# Criterion 2.4's gt() is >=: an assertion that a count is not 0 would hold for 0.
code ~ /(^|[^A-Za-z0-9_])gt\(/ {
    refuse("assertion", "Criterion's gt() holds where both are equal; lt(), the other way round")
}

/^\{/ { function_start = FNR }
/^\}/ {
    # A class and an initialiser end with a semicolon.
    if (function_start && $0 !~ /^\};/ && FNR - function_start - 1 > 70)
        refuse("function length", FNR - function_start - 1 " lines, 70 are allowed")
    function_start = 0
}

END {
    if (NR > 0)
        finish_file()
    exit bad
}
