/* tests/support/hook_rig.h: services with hooks, beside a rig's own one, and a log of whom they told what. */
#ifndef BUFPOOL_TESTS_HOOK_RIG_H
#define BUFPOOL_TESTS_HOOK_RIG_H

#include "tests/support/frame_rig.h"

/* Types of the services' schemas: the first of each is at most BPT_HOOK_MAX bytes, the second one is sensitive and as
 * long. */
enum { BPT_HOOK_A_TYPE = 5000, BPT_HOOK_B_TYPE = 5100, BPT_HOOK_MAX = 200000 };

typedef struct bpt_hooked bpt_hooked;

/* A service of a side. */
typedef struct bpt_hooked_service {
    bpt_hooked *side;
    char name; /* in the log: 'A' or 'B' */
    bp_schema schema;
    bp_service_hooks hooks;
    unsigned opens, closes, drains, ticks;
    uint32_t elapsed_ms; /* of all ticks */
    unsigned ticks_wanted; /* on_tick answers true so often */
    bp_err why;
    uint64_t frames;
    bp_pool *lenders; /* where what it lends comes from; NULL: it lends nothing */
    unsigned asked;
    uint16_t asked_type; /* last */
    uint32_t asked_length;
    bp_buf *lent; /* last */
    /* NULL: nothing is done. */
    void (*on_open)(struct bpt_hooked_service *service, bp_conn *conn);
    void (*on_drain)(struct bpt_hooked_service *service, bp_conn *conn);
    void (*on_tick)(struct bpt_hooked_service *service, bp_conn *conn);
    bp_err (*on_frame)(struct bpt_hooked_service *service, bp_conn *conn, const bp_frame *frame);
} bpt_hooked_service;

/* Services A, which lends, and B, around the side's own one, P, which has no hooks. Each event is two letters in the log: who, and
 * o(pen), c(lose), d(rain) or t(ick). */
struct bpt_hooked {
    bpt_hooked_service a, b;
    char log[256];
};

/* Adds the services to a side's configuration, and has the side's own callbacks logged. */
void bpt_hooked_join(bpt_hooked *hooked, bpt_side *side, bp_conn_config *config);

/* Server, and client 0, each with services of its own, until both are open and have met. */
typedef struct bpt_hook_rig {
    bpt_rig rig;
    bpt_hooked server, client;
} bpt_hook_rig;

void bpt_hook_rig_init(bpt_hook_rig *h);
void bpt_hook_rig_start(bpt_hook_rig *h, int way);
void bpt_hook_rig_fini(bpt_hook_rig *h);

#endif
