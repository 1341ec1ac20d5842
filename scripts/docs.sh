#!/bin/sh
# Writes the tables of the language into a page, between the comments that `bufpoolc schema --format markdown` prints too.
#   docs.sh BUFPOOLC docs/CONTRACTS.md
set -eu
tables=$(mktemp)
page=$(mktemp)
trap 'rm -f "$tables" "$page"' EXIT
"$1" schema --format markdown >"$tables"
awk -v tables="$tables" '
    function name_of(line) { split(line, words, " "); sub(":$", "", words[3]); return words[3] }
    BEGIN {
        while ((getline line < tables) > 0) {
            if (line ~ /^<!-- begin /) name = name_of(line)
            text[name] = text[name] line "\n"
        }
    }
    /^<!-- begin / { name = name_of($0); if (!(name in text)) { print "docs.sh: no table " name > "/dev/stderr"; exit 1 }
                     printf "%s", text[name]; skipping = 1 }
    !skipping { print }
    /^<!-- end / { skipping = 0 }' "$2" >"$page"
cmp -s "$page" "$2" || cat "$page" >"$2"
