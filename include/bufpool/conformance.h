/* bufpool/conformance.h: what bufpool/pool.h promises of every pool, checked on pools that a factory makes.
 *
 *     static void print(const char *check, bool is_passed, const char *what, void *user) {
 *         if (!is_passed) printf("%s: %s\n", check, what);
 *     }
 *     const bp_conformance suite = {.factory = my_pool_factory, .is_bounded = true, .report = print};
 *     return bp_conformance_run(&suite) == 0 ? 0 : 1;
 *
 * For whoever makes a pool of their own, in their tests: it needs no test framework, prints nothing, and takes about a
 * second. A pool that a check found wanting is left as it is, with its buffers, as nothing is known of its state any
 * more: it is never freed. Run such a pool under a sanitizer as well; a pool that hands out memory that is not its own
 * may end the program. */
#ifndef BUFPOOL_CONFORMANCE_H
#define BUFPOOL_CONFORMANCE_H

#include "bufpool/pool.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Told of each check once it is over: the check's name, as an identifier, and what: the promise that was kept, or what
 * was seen instead. Both are valid during the call, which happens on the thread of bp_conformance_run. */
typedef void bp_conformance_fn(const char *check, bool is_passed, const char *what, void *user);

/* What to check, and what the pool says of itself. Zeros are defaults. */
typedef struct bp_conformance {
    bp_pool_factory *factory; /* called with config and factory_user: a new pool for every check */
    void *factory_user;
    const bp_pool_config *config; /* NULL: classes of 64 to 65,536 bytes, and a limit of 1 MiB */
    bp_conformance_fn *report;    /* may be NULL */
    void *report_user;
    const char *only;      /* the name of the one check to run; NULL: all of them */
    uint32_t size_max;     /* largest size to ask for, in bytes; 0 is 65,536. Less where the pool gives less */
    uint32_t thread_count; /* threads at the same time, 64 at most; 0 is 4; 1 leaves out what needs more */
    bool is_bounded;       /* refuses with BP_ERR_LIMIT before it has given 4,096 buffers of size_max */
    bool can_wait;         /* is bounded, and its reserve waits for what it cannot give now */
} bp_conformance;

/* Runs the checks that apply, one after the other, and returns how many failed. One that cannot be run has failed: the
 * factory makes no pool, the system has no memory or no threads, or `only` names none that applies. */
BP_API uint32_t bp_conformance_run(const bp_conformance *suite);

#ifdef __cplusplus
}
#endif
#endif
