# Finds calls that the house does not make, words that mark unfinished work, and what has grown too
# long. Prints each finding as file:line: what, then the longest functions (for looking, no verdict);
# ends with 1 when there was a finding.

function ban(calls, where, instead,    names, count, i)
{
    count = split(calls, names, " ")
    for (i = 1; i <= count; i++) {
        banned[names[i]] = instead
        allowed[names[i]] = where
    }
}

BEGIN {
    # calls, the files where they may stand all the same (a pattern), what to do instead
    ban("strcpy strcat sprintf vsprintf stpcpy", "", "write into a struct mw_buf, or use snprintf")
    ban("gets strtok atoi atol atoll atof sscanf", "", "parse a view with core/base/str.h")
    ban("malloc calloc realloc free strdup strndup", "^core/base/mem\\.c$|^(tests|bench)/", "use a struct mw_mem")
    ban("rand srand random srandom drand48", "", "randomness is an argument: core/base/rng.h")
    ban("localtime gmtime ctime asctime", "", "not safe among threads: use the _r form")
    ban("system popen fork vfork", "^(tests|bench)/", "the server starts no programs")
    ban("setjmp longjmp alloca", "", "no jumps, no unbounded stack")
    ban("exit abort", "^core/cli/|^core/base/check\\.|^(tests|bench)/", "only the command line ends the process")
    ban("_exit", "^core/server/server\\.c$|^(tests|bench)/", "only a second signal ends the process at once")
    ban("printf puts putchar perror", "^core/cli/|^(tests|bench)/", "only the log and the command line print")

    unfinished = "(^|[^A-Za-z])(T[O]DO|F[I]XME|X[X]X|H[A]CK|[s]tub)([^A-Za-z]|$)|[n]ot implemented|[f]or now([^A-Za-z]|$)"
    longest_line = 100
    longest_file = 650
    longest_function = 80
    reported_function = 45
}

function found(line, what)
{
    printf "%s:%d: %s\n", file, line, what
    findings++
}

function end_file()
{
    if (lines > longest_file)
        found(lines, "a file of " lines " lines (over " longest_file "): does it hold one idea?")
}

FNR == 1 {
    if (file != "")
        end_file()
    file = FILENAME
    is_c = file ~ /\.[ch]$/
    in_comment = 0
    body = 0
}

{ lines = FNR }

$0 ~ unfinished { found(FNR, "a word that marks unfinished work") }

!is_c { next }

length($0) > longest_line { found(FNR, "a line of " length($0) " bytes (over " longest_line ")") }
/\t/ { found(FNR, "a tab") }
/[ \t]$/ { found(FNR, "a blank at the end of the line") }

# The line without comments and texts, so that words about a call are no call.
function code_of(line,    code, at)
{
    gsub(/\\./, "", line)
    gsub(/"[^"]*"/, "\"\"", line)
    code = ""
    while (line != "") {
        at = index(line, in_comment ? "*/" : "/*")
        if (!in_comment)
            code = code (at ? substr(line, 1, at - 1) : line)
        if (!at)
            break
        line = substr(line, at + 2)
        in_comment = !in_comment
    }
    sub(/\/\/.*/, "", code)
    return code
}

# A name right before a parenthesis; after a dot or an arrow it is a member, not the C library's.
function check_calls(code,    name)
{
    while (match(code, /[A-Za-z_][A-Za-z_0-9]* *\(/)) {
        name = substr(code, RSTART, RLENGTH - 1)
        sub(/ +$/, "", name)
        if (name in banned && substr(code, RSTART - 1, 1) !~ /[.>]/ && !(allowed[name] != "" && file ~ allowed[name]))
            found(FNR, name "(): " banned[name])
        code = substr(code, RSTART + RLENGTH)
    }
}

# With our braces the body of a function begins and ends in the first column.
function check_length(code,    name)
{
    if (code ~ /^[A-Za-z].*\(/) {
        title = code
        sub(/ *\(.*/, "", title)
        sub(/.*[ *]/, "", title)
    }
    if (code ~ /^\{/)
        body = FNR
    if (code ~ /^\}/ && body) {
        if (FNR - body - 1 > longest_function)
            found(body, title " has " FNR - body - 1 " lines (over " longest_function ")")
        else if (FNR - body - 1 > reported_function)
            report = report sprintf("%4d lines: %s in %s\n", FNR - body - 1, title, file)
        body = 0
    }
}

{
    code = code_of($0)
    check_calls(code)
    check_length(code)
}

END {
    end_file()
    if (report != "")
        printf "functions over %d lines:\n%s", reported_function, report
    exit findings > 0
}
