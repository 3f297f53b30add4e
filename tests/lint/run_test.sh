#!/bin/sh
# tests/run.sh with a ctest that only plays: which failures it forgives, which never, and what it says.
#
#   run_test.sh FOLDER
set -eu
LC_ALL=C
export LC_ALL
script=$1/tests/run.sh
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
cd "$stage"
mkdir bin

# Plays what stands in PLAY: lines of "name|how it fails beside others|how alone|what it says", where
# a ^ ends a line.
cat >bin/ctest <<'FAKE'
#!/bin/sh
logs=build/p/Testing/Temporary
mkdir -p "$logs"
field=2
case "$*" in
*--rerun-failed*) field=3; [ "$4" = 1 ] || echo "alone it is not: $*" ;;
esac
echo "$*" >>CALLS
awk -F '|' -v field="$field" '
{
    gsub(/\^/, "\n", $4)
    printf "\"%s\" start time: now\nOutput:\n----------\n%s\n<end of output>\n-----\nTest Failed.\n", $1, $4 >"'"$logs"'/LastTest.log"
    if ($field != "")
        failed[++count] = sprintf("\t  %d - %s (%s)", NR, $1, $field)
}
END {
    if (count)
        print "The following tests FAILED:"
    for (i = 1; i <= count; i++)
        print failed[i]
    exit count ? 8 : 0
}' PLAY
FAKE
chmod +x bin/ctest
PATH=$stage/bin:$PATH

wrong=0
expect() { # what code calls: with the play on the standard input; what was said stays in SAID
    cat >PLAY
    rm -rf build CALLS
    code=0
    sh "$script" p -L e2e >SAID 2>&1 || code=$?
    [ "$code" = "$2" ] && [ "$(wc -l <CALLS)" = "$3" ] && return
    echo "$1: it ended with $code after $(wc -l <CALLS) runs and said:"
    cat SAID
    wrong=1
}
shows() { # pattern file
    grep -q -e "$1" "$2" && return
    echo "'$1' is missing in $2:"
    cat "$2"
    wrong=1
}

expect 'all pass' 0 1 <<'END'
e2e.a|||fine
END
[ ! -e build/p/failed/FORGIVEN ] || wrong=1

expect 'fails beside others, passes alone' 0 2 <<'END'
e2e.a|||fine
e2e.b|Failed||not ok 3 - everybody is served
END
shows '^failed beside others, passed alone: e2e.b; .*build/p/failed/e2e.b.log$' build/p/failed/FORGIVEN
shows '^    not ok 3 - everybody is served$' build/p/failed/FORGIVEN
shows '^not ok 3' build/p/failed/e2e.b.log

expect 'fails alone as well' 1 2 <<'END'
e2e.b|Failed|Failed|not ok 1
END
[ ! -e build/p/failed/FORGIVEN ] || wrong=1

expect 'three are forgiven' 0 2 <<'END'
a|Failed||not ok 1
b|Failed||not ok 1
c|Failed||not ok 1
END
expect 'a fourth is not' 1 1 <<'END'
a|Failed||not ok 1
b|Failed||not ok 1
c|Failed||not ok 1
d|Failed||not ok 1
END

# ---- what is found once is found ----

for how in SEGFAULT 'Subprocess aborted' Timeout 'Not Run'; do
    expect "$how" 1 1 <<END
a|$how||not ok 1
END
done
while read -r line; do
    expect "$line" 1 1 <<END
e2e.b|Failed||$line
END
done <<'END'
WARNING: ThreadSanitizer: data race (pid=7)
==7==ERROR: AddressSanitizer: heap-use-after-free on address 0x1
==7==ERROR: LeakSanitizer: detected memory leaks
core/base/str.c:9:3: runtime error: signed integer overflow
SUMMARY: UndefinedBehaviorSanitizer: undefined-behavior
+ signal: 'SIGSEGV'
{"level":"error","msg":"crashed","signal":"SIGABRT"}
+ bytes_left: 64
{"msg":"stopped","bytes_left":0,"handles_left":2}
END

# ... but not in the name of a test, nor where nothing is left, nor what a broken test did not free
expect 'a name that speaks of signals' 0 2 <<'END'
e2e.b|Failed||ok 4 - a worker that dies of SIGSEGV takes the process along
END
expect 'a server that left nothing' 0 2 <<'END'
e2e.b|Failed||{"msg":"stopped","bytes_left":0,"handles_left":0}
END
while read -r code calls line; do
    expect "$line" "$code" "$calls" <<END
unit.c|Failed||[  FAILED  ] it is so^$line
END
done <<'END'
0 2 ==7==ERROR: LeakSanitizer: detected memory leaks
0 2 SUMMARY: AddressSanitizer: 48 byte(s) leaked in 1 allocation(s).
1 1 ==7==ERROR: AddressSanitizer: heap-use-after-free on address 0x1
END

exit "$wrong"
