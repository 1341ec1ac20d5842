/* tests/support/posters.h: threads that post numbered frames to a connection, and a server that sees them in order. */
#ifndef BUFPOOL_TESTS_POSTERS_H
#define BUFPOOL_TESTS_POSTERS_H

#include "tests/support/frame_rig.h"

#include <pthread.h>

enum {
    BPT_POSTERS = 4,
    BPT_POST_QUEUE = 20000,
    BPT_POST_LENGTH = 100,
    BPT_POST_SIZE = BPT_POST_LENGTH + BP_FRAME_HEADER_SIZE
};

/* A thread that posts, and what the other side has seen of it. */
typedef struct bpt_poster {
    pthread_t thread;
    bp_conn *conn; /* a reference of its own */
    bp_pool *pool;
    uint32_t ix, count;
    uint32_t posted, seen;
    bool waits; /* for room; else it tries again and again */
    bp_err err; /* of the post that was refused at last */
} bpt_poster;

/* Frame n of poster ix. */
bp_buf *bpt_numbered(bp_pool *pool, uint32_t ix, uint32_t n);

/* Each posts so many frames, or until one is refused; the first waits for room, every second one does not. */
void bpt_posters_start(bpt_poster posters[], uint32_t count, bp_conn *conn, uint32_t frames);

/* The client's connection, returned, has a small queue; the server counts what comes in posters, BPT_POSTERS of them.
 */
bp_conn *bpt_posters_rig(bpt_rig *rig, int way, bpt_poster posters[]);

/* Posts as poster 0, from frame `first` on, until one is refused; returns how many were not. */
uint32_t bpt_post_until_full(bp_conn *conn, uint32_t first);

#endif
