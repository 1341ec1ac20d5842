/* Runs the conformance suite on the block pool: how to test a pool of one's own. */
#include "block_pool.h"

#include <bufpool/conformance.h>
#include <stdio.h>

static void print(const char *check, bool is_passed, const char *what, void *user) {
    (void)user;
    printf("%-6s %-32s %s\n", is_passed ? "ok" : "FAILED", check, what);
}

int main(void) {
    const bp_conformance suite = {.factory = block_pool_factory, .report = print, .is_bounded = true};
    return bp_conformance_run(&suite) == 0 ? 0 : 1;
}
