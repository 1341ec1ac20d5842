#!/bin/sh
# Rules of the tree that no compiler checks: what may include what, and where atomics and the system are named.
set -eu
failed=0

# report RULE: fails with what stands on standard input, if anything does.
report() {
    found=$(cat)
    [ -z "$found" ] && return
    printf 'lint: %s\n%s\n' "$1" "$found" >&2
    failed=1
}

# sees ROOM FORBIDDEN...: no file of the room includes one of these.
sees_nothing_of() {
    room=$1
    shift
    for other in "$@"; do
        { grep -nE "^#include \"(bufpool/)?$other[/.]" "src/$room"/*.[ch] || true; } | report "$room includes $other"
    done
}
sees_nothing_of base pool frame transport transfer generated codegen
sees_nothing_of pool frame transport transfer generated codegen
sees_nothing_of frame transport transfer generated codegen
sees_nothing_of transport transfer generated codegen
sees_nothing_of transfer generated codegen
{ grep -nE '^#include "(base|pool|frame|transport|transfer|generated|tests)/' codegen/*.[ch] || true; } |
    report 'the compiler includes the library'
{ grep -nE '^#include "(base|pool|frame|transport|transfer|codegen|tests)/' include/bufpool/*.h include/bufpool/detail/*.h || true; } |
    report 'a public header includes a private one'

# The schedules of tests/sched see what is a macro of this one header, and nothing else.
{ grep -nE '__atomic_|__sync_|stdatomic|_Atomic|__ATOMIC_[A-Z_]+\)* *;' src/pool/*.[ch] include/bufpool/*.h \
    include/bufpool/detail/*.h || true; } | grep -v -e '^include/bufpool/detail/atomic.h:' -e 'BPI_[A-Z_]*(' |
    report 'an atomic operation outside of bufpool/detail/atomic.h'

{ grep -nwE '(malloc|calloc|realloc|free|mmap|munmap|mprotect|pthread_[a-z_]+|clock_gettime|getenv|exit|abort|printf|fprintf|errno)' \
    src/base/*.c src/pool/*.[ch] src/frame/*.[ch] || true; } | sed -E 's|/\*.*||' |
    grep -E '(\(|errno)' | grep -vE '^src/base/(os|container|misuse)\.c:|[.>](free|exit)\(|bpi_os\.|format\(printf' |
    report 'the system is named outside of base/os.c'

[ $failed = 0 ] && echo 'lint: the rules hold'
