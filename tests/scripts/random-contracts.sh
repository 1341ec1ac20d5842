#!/bin/sh
# Random contracts, each generated, compiled as strictly as users may, and held against the interpreter:
#     RANDOM_TEMPLATES='...' random-contracts.sh BUILD_DIR quick|full COUNT [FIRST_SEED]
# RANDOM_TEMPLATES: what the sampler's templates include.
# quick: the build's C compiler alone. full: gcc and clang, headers as C++17, the checks under clang's sanitizers.
# A seed that fails is said together with the folder that is left of it.
set -eu
build=$1 mode=$2 count=$3 first=${4:-1}
warnings='-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror'
includes='-I. -Iinclude -Isrc'
libs="$build/libbufpool.a $(pkg-config --libs yaml-0.1 libuv 2>/dev/null || echo -lyaml -luv) -lm -pthread"

compile_full() { # what users' compilers say about the generated files
    for source in "$1"/rnd_*.c; do
        gcc -std=c11 -O2 $warnings $includes -I"$1" -c -o "$1/gcc.o" "$source"
        clang -std=c11 -fsyntax-only $warnings $includes -I"$1" "$source"
    done
    for compiler in g++ clang++; do
        echo '#include "rnd.h"' | $compiler -std=c++17 -fsyntax-only $warnings $includes -I"$1" -x c++ -
    done
}

check_one() {
    seed=$1 folder=$build/random/$1
    rm -rf "$folder"
    mkdir -p "$folder"
    "$build/random-contract" "$seed" > "$folder/rnd.yaml"
    "$build/bufpoolc" generate "$folder/rnd.yaml" --out-dir "$folder" 2> "$folder/warnings"
    for half in h c; do
        "$build/sampler" "$folder/rnd.yaml" "tests/sampler/samples.$half.tmpl" $RANDOM_TEMPLATES \
          > "$folder/rnd_samples.$half" 2>> "$folder/warnings"
    done
    rounds=20
    compiler="${CC:-cc} -O0"
    if [ "$mode" = full ]; then
        mv "$folder/rnd_samples.c" "$folder/samples.c"
        compile_full "$folder"
        mv "$folder/samples.c" "$folder/rnd_samples.c"
        compiler='clang -O0 -g -DBPI_DEBUG -fsanitize=address,undefined -fno-sanitize-recover=all'
    fi
    $compiler -std=c11 $warnings $includes -I"$folder" -o "$folder/check" tests/random/check.c "$folder"/rnd_*.c \
      "$build"/random-objects.a $libs
    "$folder/check" "$folder/rnd.yaml" "$seed" "$rounds"
    rm -rf "$folder"
}

if [ "$mode" = one ]; then # of a run below
    mode=$RANDOM_MODE
    trap '[ $? = 0 ] || echo "failed: RANDOM_SEED=$count, see $build/random/$count" >&2' EXIT
    check_one "$count"
    exit
fi
RANDOM_MODE=$mode
export RANDOM_MODE
seq "$first" $((first + count - 1)) | xargs -P 2 -n 1 sh "$0" "$build" one
echo "$count random contracts agree"
