#!/bin/sh
# Measures the codec rows in several benchmark programs that have the same code at other places, and prints for each ratio
# the median of the programs, the least and the largest: where a function lies can be worth more than what is compared.
#
#   codec-layouts.sh PROGRAM…
set -eu

figures=$(mktemp)
trap 'rm -f "$figures"' EXIT
for program; do
    "$program" --quick --only codec --json "$figures" >/dev/null
    cat "$figures"
done | awk -F '"' '
    function sort(name, count,    i, k, kept) {
        for (i = 2; i <= count; i++) {
            kept = ratio[name, i]
            for (k = i; k > 1 && ratio[name, k - 1] > kept; k--) ratio[name, k] = ratio[name, k - 1]
            ratio[name, k] = kept
        }
    }
    $8 !~ /bufpool|by hand/ { next } # other projects lie where they lie
    match($0, /"ratio":[0-9.]+/) {
        name = sprintf("%-12s  %-34s ÷ %s", $4, $8, $22)
        if (!(name in counts)) names[++rows] = name
        ratio[name, ++counts[name]] = substr($0, RSTART + 8, RLENGTH - 8) + 0
    }
    END {
        print "median (least .. largest) of the ratios in programs with the same code at other places"
        for (row = 1; row <= rows; row++) {
            name = names[row]
            count = counts[name]
            sort(name, count)
            printf "%6.2f  (%.2f .. %.2f)  %s\n", ratio[name, int((count + 1) / 2)], ratio[name, 1], ratio[name, count], name
        }
    }'
