#!/bin/sh
# The fuzzer that bufpoolc wrote for one schema: its seeds are written and run from files and from standard input, then
# it fuzzes from them.       fuzz-written.sh SCHEMA DIRECTORY SECONDS
set -eu
schema=$1 directory=$2 seconds=$3
name=$(echo "$schema" | tr '[:lower:]' '[:upper:]')
messages=$directory/${schema}_messages.c
[ -e "$messages" ] || messages=generated/${schema}_messages.c
work=$directory/${schema}_fuzzing
flags="-std=c11 -g -O1 -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror -Iinclude -Isrc -I. -Igenerated -I$directory"
build() {
    compiler=$1
    shift
    # shellcheck disable=SC2086 # flags are meant to be split
    $compiler $flags "$@" "$directory/${schema}_fuzz.c" "$messages" src/base/*.c
}
mkdir -p "$work/corpus"
rm -rf "$work/seeds"
mkdir "$work/seeds"
build gcc "-D${name}_FUZZ_SEEDS" -o "$work/write_seeds"
build gcc "-D${name}_FUZZ_MAIN" -fsanitize=address,undefined -fno-sanitize-recover=all -o "$work/run_files"
build clang -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all -o "$work/fuzz"
"$work/write_seeds" "$work/seeds"
"$work/run_files" "$work/seeds"/*
for seed in "$work/seeds"/*; do "$work/run_files" <"$seed"; done
if ! "$work/fuzz" -max_total_time="$seconds" -print_final_stats=1 -artifact_prefix="$work/" "$work/corpus" "$work/seeds" \
    >"$work/log" 2>&1; then
    tail -40 "$work/log" >&2
    exit 1
fi
echo "fuzz-written: $schema: $(sed -n 's/^stat::number_of_executed_units: *//p' "$work/log") inputs, no failure"
