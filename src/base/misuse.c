#include "base/os.h"

#include <stdio.h>
#include <stdlib.h>

static bp_misuse_fn *misuse_callback;
static void *misuse_user;
static uint64_t misuse_seen;
#ifdef BPI_DEBUG
static int is_strict = 1;
#else
static int is_strict;
#endif

static const char *misuse_text(bp_misuse what) {
    switch (what) {
    case BP_MISUSE_DOUBLE_RELEASE: return "a buffer was released that is already free";
    case BP_MISUSE_CAPACITY: return "a length beyond the buffer's capacity was set";
    case BP_MISUSE_RETAIN_FREE: return "a reference was taken to a buffer that is free";
    case BP_MISUSE_WRITE_FREE: return "bytes of a free buffer were written";
    case BP_MISUSE_OVERRUN: return "bytes outside of what was asked for were written";
    case BP_MISUSE_REFERENCES: return "a buffer has more references than can be counted";
    case BP_MISUSE_FOREIGN: return "a buffer that no pool handed out, or whose descriptor was written";
    }
    return "unknown misuse";
}

/* Debug builds and hardened pools stop where the bug is; others have counted it and go on with what was detected
 * ignored. */
static void default_callback(bp_misuse what, const void *object) {
    if (__atomic_load_n(&is_strict, __ATOMIC_RELAXED) == 0) return;
    (void)fprintf(stderr, "bufpool: misuse: %s (%p)\n", misuse_text(what), object);
    abort();
}

void bpi_misuse_be_strict(void) { __atomic_store_n(&is_strict, 1, __ATOMIC_RELAXED); }

void bp_misuse_set(bp_misuse_fn *callback, void *user) {
    misuse_callback = callback;
    misuse_user = user;
}

uint64_t bp_misuse_count(void) { return __atomic_load_n(&misuse_seen, __ATOMIC_RELAXED); }

void bpi_misuse(bp_misuse what, const void *object) {
    __atomic_fetch_add(&misuse_seen, 1, __ATOMIC_RELAXED);
    if (misuse_callback != NULL) {
        misuse_callback(what, object, misuse_user);
    } else {
        default_callback(what, object);
    }
}
