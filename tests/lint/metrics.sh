#!/bin/sh
# Each metric of core/server/metrics.def has its row in the table of docs/running.md ("Metrics"), with
# the same type, labels and line of help; and no row is of a metric that there is not.
#
#   metrics.sh FOLDER
set -eu
LC_ALL=C
export LC_ALL
cd "$1"
awk '
function say(text)
{
    print text
    wrong = 1
}

# "`route` `script`" of the words that a row of metrics.def has.
function in_ticks(words,    n, i, word, out)
{
    n = split(words, word, " ")
    for (i = 1; i <= n; i++)
        out = out (i > 1 ? " " : "") "`" word[i] "`"
    return out
}

function take(row,    open, part, help, labels, name)
{
    open = index(row, "(")
    split(substr(row, open + 1), part, / *, */)
    name = part[1]
    help = substr(row, index(row, "\"") + 1)
    sub(/"\)$/, "", help)
    labels = part[3]
    if (row ~ /^MW_METRIC_OF_ROUTE/)
        labels = "route script"
    if (row ~ /^MW_METRIC_OF_SCRIPT/)
        labels = "script"
    wanted[name] = part[2] "|" in_ticks(labels) "|" help
    order[++count] = name
}

FILENAME ~ /metrics\.def$/ && /^MW_METRIC/ { row = "" }
FILENAME ~ /metrics\.def$/ && (/^MW_METRIC/ || row != "") {
    line = $0
    sub(/^ +/, " ", line)
    row = row line
    if (line ~ /\)$/) {
        take(row)
        row = ""
    }
}

FILENAME ~ /running\.md$/ && /^#/ { is_table = $0 == "## Metrics" }
is_table && /^\| `/ {
    split($0, cell, / *\| */)
    name = cell[2]
    gsub(/`/, "", name)
    found[name] = cell[3] "|" cell[4] "|" cell[5]
    if (!(name in wanted))
        say("docs/running.md: core/server/metrics.def has no " name)
}

END {
    for (i = 1; i <= count; i++) {
        name = order[i]
        if (!(name in found))
            say("docs/running.md: no row for " name)
        else if (found[name] != wanted[name])
            say("docs/running.md: " name " is " wanted[name] ", not " found[name])
    }
    if (count == 0)
        say("core/server/metrics.def: no metric was found")
    exit wrong
}' core/server/metrics.def docs/running.md
