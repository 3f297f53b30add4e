#!/bin/sh
# Runs programs of a build with ctest, several at a time, and gives one that failed beside others a
# second chance alone: where processors are shared with strangers, one of six hundred programs that
# stands still for seconds must not refuse the whole. It is told loudly all the same.
#
#   run.sh PRESET [CTEST-OPTION...]
#
# What a sanitizer found, a leak, a death by a signal and a program that never ended are findings at
# once, and so is the fourth program of a run. The first output of each stays in build/PRESET/failed.
# Which were forgiven stands in build/PRESET/failed/FORGIVEN, for whoever has the last word.
set -eu
LC_ALL=C
export LC_ALL
MOST=3
preset=$1
shift
logs=build/$preset/Testing/Temporary
kept=build/$preset/failed
jobs=$(nproc 2>/dev/null || echo 2)

# The sanitizers of older compilers stumble over much randomness in addresses; so it is switched off,
# where that is allowed.
fixed=''
! setarch -R true 2>/dev/null || fixed='setarch -R'

# What is said is kept as well: only there ctest tells how a program has failed.
ctest_of() { # ctest-option...
    { $fixed ctest --preset "$preset" "$@" && echo 0 >"$kept/CODE" || echo $? >"$kept/CODE"; } 2>&1 |
        tee "$kept/SAID"
    return "$(cat "$kept/CODE")"
}

# Lines of "name: how", as "e2e.drain: Failed" or "unit.io.tls: SEGFAULT".
failures() {
    sed -n '/^The following tests FAILED:/,$s/^[[:space:]]*[0-9]* - \([^ ]*\) (\([^)]*\)).*/\1: \2/p' "$kept/SAID"
}

output_of() { # name
    awk -v name="$1" '
    $0 == "<end of output>" { is_shown = 0 }
    is_shown > 1 { print }
    is_shown && /^-----/ { is_shown++ }
    index($0, "\"" name "\" start time:") == 1 { is_shown = 1 }' "$logs/LastTest.log"
}

# Names of tests may speak of signals; what went wrong stands in other lines. A unit test that is
# broken off by what it has found frees nothing, so its leaks are no finding of their own.
is_finding() { # file
    besides='^ *((not )?ok [0-9]|# Subtest)'
    ! grep -qE '^\[  FAILED  \]' "$1" || besides="$besides|LeakSanitizer|AddressSanitizer: .* leaked in"
    grep -vE "$besides" "$1" | grep -qE \
        -e '(Address|Leak|Thread|Memory|UndefinedBehavior)Sanitizer|: runtime error: ' \
        -e 'SIG(SEGV|ABRT|BUS|ILL|FPE)|"msg":"crashed"' \
        -e '(bytes|handles)_left"?: *[1-9]|stderr holds nothing but JSON lines'
}

# Keeps the first output of each that failed; fails if one of them is not to be forgiven.
judge() {
    outcome=0
    failures >"$kept/NAMES"
    [ -s "$kept/NAMES" ] || return 1 # it did not come to a test
    while IFS=: read -r name how; do
        output_of "$name" >"$kept/$name.log"
        if [ "$how" != ' Failed' ]; then
            echo "run: $name:$how: that is no matter of who ran beside it"
            outcome=1
        elif is_finding "$kept/$name.log"; then
            echo "run: $name: a finding of a sanitizer or of the program itself: see $kept/$name.log"
            outcome=1
        fi
    done <"$kept/NAMES"
    if [ "$(wc -l <"$kept/NAMES")" -gt "$MOST" ]; then
        echo "run: more than $MOST programs have failed: that is no matter of who ran beside them"
        outcome=1
    fi
    return "$outcome"
}

forgive() {
    while IFS=: read -r name how; do
        echo "failed beside others, passed alone: $name; its first output is in $kept/$name.log"
        grep -E '^ *not ok |^ *error: |^\[  (ERROR|FAILED) +\]' "$kept/$name.log" | head -n 10 | sed 's/^/    /'
    done <"$kept/NAMES" >"$kept/FORGIVEN"
}

rm -rf "$kept"
mkdir -p "$kept"
# Many tests wait more than they compute, so there is one more at a time than there are processors.
! ctest_of -j "$((jobs + 1))" "$@" || exit 0
judge || exit 1
echo "run: once more alone: $(sed 's/:.*//' "$kept/NAMES" | tr '\n' ' ')"
ctest_of -j 1 --rerun-failed || exit 1
forgive
