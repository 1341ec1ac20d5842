#!/bin/sh
# Puts one defect after the other into the pool room and runs the scenarios that must find it.
#   sh tests/scripts/sched-mutants.sh build/release [beginning of a file's name]
# Each line of tests/sched/mutants.txt: file@sed command@beginning of the scenarios' names@what is wrong.
# A line whose command changes nothing fails, and one whose scenarios name no schedule in which something goes wrong.
set -eu
build=$1 only=${2:-} failed=0 count=0
place=$build/tests/sched/mutant
flags="-std=c11 -O1 -g -w -fvisibility=hidden -pthread -include tests/sched/seam.h"
rm -rf "$place"
mkdir -p "$place"

# A header is in all of them; the others stay as they were built.
sources() {
    case $1 in
    *.h) find src/pool src/base tests/sched -name '*.c' ;;
    *) echo "$place/$1" ;;
    esac
}

build_mutant() {
    object=$build/tests/sched/room/$(echo "${1#src/}" | sed 's|c$|o|')
    case $1 in
    *.h) parts= ;;
    *) parts=$(find "$build/tests/sched" -name '*.o' ! -path "$object") ;;
    esac
    # shellcheck disable=SC2046,SC2086 # lists of files
    gcc $flags -I"$place/include" -I"$place/src" -Iinclude -Isrc -I. -o "$place/sched" $(sources "$1") $parts \
        "$build/tests/main.o" -lcheck -lsubunit -lm -lrt
}

while IFS=@ read -r file command scenario what; do
    case $file in "$only"*) ;; *) continue ;; esac
    count=$((count + 1))
    rm -rf "$place/include" "$place/src"
    mkdir -p "$place/$(dirname "$file")"
    sed -e "$command" "$file" >"$place/$file"
    if cmp -s "$file" "$place/$file"; then
        echo "$file: nothing changes by: $command" >&2
        failed=1
        continue
    fi
    build_mutant "$file"
    BPT_ONLY=sched_ BPT_SCENARIO=$scenario timeout 300 "$place/sched" >"$place/out" 2>&1 </dev/null || true
    schedule=$(sed -n 's/.*SCHEDULE=//p' "$place/out" | head -1)
    if [ -z "$schedule" ]; then
        echo "NOT FOUND  $file: $what ($scenario)" >&2
        failed=1
    else
        echo "found      $file: $what: $schedule"
    fi
done <tests/sched/mutants.txt
[ $failed = 0 ] && echo "mutants: $count defects, all found"
