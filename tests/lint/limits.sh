#!/bin/sh
# Each bound of include/moonwire/bounds.h has its row in the table of docs/scripting.md ("Limits"), with
# the same number.
#
#   limits.sh FOLDER
set -eu
LC_ALL=C
export LC_ALL
cd "$1"
awk '
# How the row of each bound begins.
BEGIN {
    begins["TIMERS"] = "timers that run"
    begins["WAITING_CALLS"] = "calls that wait"
    begins["TOPICS"] = "topics that the script"
    begins["SUBSCRIPTIONS"] = "topics of one connection"
    begins["TOPIC_BYTES"] = "bytes of a topic"
    begins["KEY_BYTES"] = "bytes of the key"
    begins["HISTORY"] = "messages that a topic keeps"
    begins["HISTORY_TTL_S"] = "seconds for which a topic keeps them"
    begins["PRESENCE_BYTES"] = "bytes of `presence`"
    begins["MEMBERS"] = "members of a topic that are listed"
    begins["CALL_MESSAGES"] = "messages sent in one call"
    begins["CALL_BYTES"] = "bytes sent in one call"
    begins["LOG_LINES_PER_S"] = "log lines a second"
    begins["LOG_LINE_BYTES"] = "bytes of message and fields of a log line"
    begins["REFUSAL_BYTES"] = "text with which `on_open` refuses"
    begins["JSON_DEPTH"] = "levels of tables in JSON"
    begins["JSON_BYTES"] = "bytes of JSON that is written"
}

function say(text)
{
    print text
    wrong = 1
}

# "10 000", "16 KiB", "64 MiB and more"; -1: no number.
function number_of(cell,    digits, rest)
{
    if (!match(cell, /^[0-9][0-9 ]*/))
        return -1
    digits = substr(cell, 1, RLENGTH)
    rest = substr(cell, RLENGTH + 1)
    gsub(/ /, "", digits)
    return digits * (rest ~ /^KiB/ ? 1024 : rest ~ /^MiB/ ? 1048576 : 1)
}

function check(name,    i, found, at)
{
    if (!(name in begins)) {
        say("include/moonwire/bounds.h: " name " is new: tests/lint/limits.sh has to know its row")
        return
    }
    for (i = 1; i <= rows; i++)
        if (index(what[i], begins[name]) == 1) {
            found++
            at = i
        }
    if (found != 1)
        say("docs/scripting.md: " found + 0 " rows of limits begin with \"" begins[name] "\" (" name ")")
    else if (number_of(limit[at]) != bounds[name])
        say("docs/scripting.md: \"" begins[name] "\" says " limit[at] ", " name " is " bounds[name])
}

FILENAME ~ /bounds\.h$/ && match($0, /X\([A-Z_]+, *[0-9]+\)/) {
    split(substr($0, RSTART + 2, RLENGTH - 3), part, /, */)
    bounds[part[1]] = part[2]
    order[++count] = part[1]
}

FILENAME ~ /scripting\.md$/ && /^#/ { is_table = $0 == "## Limits" }

is_table && /^\|/ {
    split($0, cell, / *\| */)
    what[++rows] = cell[2]
    limit[rows] = cell[3]
}

END {
    for (i = 1; i <= count; i++)
        check(order[i])
    for (name in begins)
        if (!(name in bounds))
            say("include/moonwire/bounds.h: there is no " name)
    exit wrong
}' include/moonwire/bounds.h docs/scripting.md
