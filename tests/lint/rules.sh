#!/bin/sh
# Gives our own files to rules.awk, without the tree of bad examples.
#
#   rules.sh FOLDER
set -eu
LC_ALL=C
export LC_ALL
here=$(cd "$(dirname "$0")" && pwd)
cd "$1"
find include core lua client scripts tests bench dev -type f 2>/dev/null |
    grep -Ev '^tests/(lint/bad/|node_modules)|^client/dist/|package-lock' |
    grep -E '\.(c|h|def|lua|js|mjs|py|sh|cmake)$|^dev$' |
    sort | xargs awk -f "$here/rules.awk"
