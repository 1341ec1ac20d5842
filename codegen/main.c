/* bufpoolc: reads one contract, checks it, and writes what it says: generated files or a report. */
#include "codegen/command.h"

#include <stdio.h>

typedef struct call {
    cg_arena *arena;
    int count;
    char **arguments;
    cg_status status;
} call;

static void run(void *user) {
    call *c = user;
    c->status = cg_run(c->arena, c->count, c->arguments);
}

int main(int count, char **arguments) {
    call c = {.arena = cg_arena_new(), .count = count, .arguments = arguments};
    if (c.arena == NULL || !cg_arena_attempt(c.arena, run, &c)) {
        fputs("bufpoolc: out of memory\n", stderr);
        c.status = CG_FAILED;
    }
    cg_arena_free_take(&c.arena);
    return (int)c.status;
}
