#!/bin/sh
# Compares the code size of the generated functions in a benchmark program with the same by hand (bench/codec_hand.c):
#
#   codec-size.sh PROGRAM [LIMIT]     fails when one is more than LIMIT times larger (default 1.5)
set -eu

nm -S --defined-only "$1" | awk -v limit="${2:-1.5}" '
    $3 ~ /^[tT]$/ && $4 ~ /^(codec|hand)_(small|medium|large)_(encode|decode)$/ {
        split($4, part, "_")
        size[part[1], part[2] "_" part[3]] = bytes($2)
    }
    function bytes(hex,    i, value) {
        for (i = 1; i <= length(hex); i++) value = 16 * value + index("0123456789abcdef", substr(hex, i, 1)) - 1
        return value
    }
    END {
        print "code size, bytes (generated, by hand)"
        count = split("small_encode small_decode medium_encode medium_decode large_encode large_decode", names, " ")
        for (i = 1; i <= count; i++) {
            mine = size["codec", names[i]]; hand = size["hand", names[i]]
            if (mine == 0 || hand == 0) { print "  " names[i] ": not found"; bad = 1; continue }
            printf "  %-44s %6d %6d  %6.2f x by hand\n", names[i], mine, hand, mine / hand
            if (mine > limit * hand) bad = 1
        }
        exit bad
    }'
