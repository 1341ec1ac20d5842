#!/bin/sh
# Every header that a user may include compiles alone, as C11 and as C++17, without a warning.
set -eu
flags="-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror -fsyntax-only -Iinclude -I. -Igenerated"
for header in include/bufpool/*.h generated/*.h src/transfer/generated/*.h; do
    case $header in include/*) name=${header#include/} ;; *) name=$header ;; esac
    for compiler in "gcc -x c -std=c11 -Wcast-align=strict" "g++ -x c++ -std=c++17 -Wcast-align=strict" \
        "clang -x c -std=c11" "clang++ -x c++ -std=c++17"; do
        # shellcheck disable=SC2086 # flags are meant to be split
        printf '#include "%s"\nextern int something;\n' "$name" | $compiler $flags - || {
            echo "headers: $header does not compile alone with $compiler" >&2
            exit 1
        }
    done
done
echo "headers: all compile alone, as C11 and as C++17"
