#!/bin/sh
# Each message in the table of docs/running.md ("The log") is one that the server writes: it stands in
# core/server as a text of its own, or as its beginning where the table ends it with "...".
#
#   log.sh FOLDER
set -eu
LC_ALL=C
export LC_ALL
cd "$1"
wrong=0
messages=$(awk '
/^#/ { is_log = $0 == "## The log" }
is_log && /^\| `/ {
    split($0, cell, / *\| */)
    count = split(cell[2], part, "`")
    for (i = 2; i <= count; i += 2)
        if (part[i] != "msg")
            print part[i]
}' docs/running.md)
IFS='
'
for message in $messages; do
    case "$message" in
    *...) text="\"${message%...}" ;;
    *) text="\"$message\"" ;;
    esac
    if ! grep -qrF --include='*.c' -e "$text" core/server; then
        echo "docs/running.md: no file of core/server writes \"$message\" to the log"
        wrong=1
    fi
done
if [ -z "$messages" ]; then
    echo 'docs/running.md: no message stands in the table of "The log"'
    wrong=1
fi
exit $wrong
