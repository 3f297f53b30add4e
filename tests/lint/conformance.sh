#!/bin/sh
# Reads the table of docs/conformance.md: each row has a status, each test that it names is there, and
# the sums that the page states are those of its rows.
#
#   conformance.sh FOLDER
set -eu
LC_ALL=C
export LC_ALL
cd "$1"
page=docs/conformance.md
wrong=0
say() { printf '%s\n' "$1"; wrong=1; }

# "LINE STATUS" of each row that is none of a heading; then "LINE FILE: CASE" of each test it names.
rows() {
    awk -F '|' '/^\|/ && NF > 6 && $2 !~ /^ *(§|-+) *$/ {
        status = $5; gsub(/^ +| +$/, "", status); print NR " " status }' "$page"
}
references() {
    awk -F '|' '/^\|/ && NF > 6 && $5 ~ /tested/ {
        count = split($6, part, "`")
        if (count < 3) print NR " -"
        for (i = 2; i <= count; i += 2) print NR " " part[i] }' "$page"
}

has_case() { # FILE CASE
    case $1 in
    *.txt) grep -Fxq "case $2" "$1" ;;
    *.c) grep -Fq "TEST($2)" "$1" ;;
    *) grep -Fq "$2" "$1" ;;
    esac
}

check_reference() { # LINE FILE: CASE
    place="$page:${1%% *}" reference=${1#* }
    file=tests/${reference%%: *} name=${reference#*: }
    case $reference in
    *": "*) ;;
    *) say "$place: a row that is tested names a test as FILE: CASE"; return ;;
    esac
    if [ ! -f "$file" ]; then
        say "$place: there is no $file"
    elif ! has_case "$file" "$name"; then
        say "$place: $file has no case \"$name\""
    fi
}

check_status() { # LINE STATUS
    case ${1#* } in
    tested | 'not applicable' | open) ;;
    *) say "$page:${1%% *}: a status is tested, not applicable or open, not \"${1#* }\"" ;;
    esac
}

sum() { rows | grep -c " $1\$" || true; }

all=$(rows; echo end; references)
half=status
while read -r line; do
    case $half:$line in
    status:end) half=reference ;;
    status:*) check_status "$line" ;;
    *:) ;;
    *) check_reference "$line" ;;
    esac
done <<LINES
$all
LINES

sums="$(sum tested) tested, $(sum 'not applicable') not applicable, $(sum open) open"
grep -Fq "$sums" "$page" || say "$page: states other sums than $sums"
echo "$sums; $(references | grep -c ': ' || true) references to tests"
exit "$wrong"
