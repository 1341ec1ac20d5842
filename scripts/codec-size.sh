#!/bin/sh
# Compares the code size of the generated functions in a benchmark program with the same by hand (bench/codec_hand.c), and
# with the same promise by hand where that is another function. What a function calls of its own message counts as its own,
# and so does what the compiler moved out of the way.
#
#   codec-size.sh PROGRAM [LIMIT]     fails when one is more than LIMIT times larger than by hand with the same promise
#                                     (default 1.5)
set -eu

nm -S --defined-only "$1" | awk -v limit="${2:-1.5}" '
    $3 ~ /^[tT]$/ { size[$4] = bytes($2) }
    function bytes(hex,    i, value) {
        for (i = 1; i <= length(hex); i++) value = 16 * value + index("0123456789abcdef", substr(hex, i, 1)) - 1
        return value
    }
    function whole(name) { return size[name] + size[name ".cold"] }
    END {
        print "code size, bytes (generated, by hand, by hand with the same promise)"
        count = split("small_encode small_decode medium_encode medium_decode large_encode large_decode", names, " ")
        for (i = 1; i <= count; i++) {
            mine = whole("codec_" names[i]); hand = whole("hand_" names[i]); same = whole("hand_" names[i] "_canonical")
            if (mine == 0 || hand == 0) { print "  " names[i] ": not found"; bad = 1; continue }
            if (same == 0) same = hand
            printf "  %-30s %6d %6d %6d  %6.2f x by hand, %.2f x with the same promise\n", names[i], mine, hand, same, mine / hand, mine / same
            if (mine > limit * same) bad = 1
        }
        exit bad
    }'
