/* tests/support/transfer_cutter.h: a network between a client of objects and its server that passes whole frames on, up
 * to any of them, and then loses the connection. It knows what transfers say, and remembers it. */
#ifndef BUFPOOL_TESTS_TRANSFER_CUTTER_H
#define BUFPOOL_TESTS_TRANSFER_CUTTER_H

#include "tests/support/transfer_world.h"
#include "transfer/generated/bpi_transfer.h"

enum { BPT_CUTTER_HELD = 1 << 18, BPT_CUTTER_PARTS = 128 };

typedef struct bpt_cutter_way {
    int from, to;
    uint8_t *held;
    size_t held_count;
} bpt_cutter_way;

typedef struct bpt_cutter {
    bpt_world *world;
    char address[192]; /* where the client connects to */
    int listener;
    bool is_open;
    bpt_cutter_way ways[2]; /* to the server, and to the client */
    uint64_t frames;        /* passed on, of this connection, both ways */
    uint64_t cut_at;        /* so many may pass; UINT64_MAX: all */
    bool is_half;           /* and a half of the next one */
    unsigned cuts;          /* connections that were cut; only the first one is, unless is_tireless */
    bool is_tireless;
    bool is_done[BPT_CUTTER_PARTS]; /* PartDone of it reached the client */
    unsigned sent_again;            /* parts that were sent after that */
    unsigned parts;                 /* that passed, either way */
    /* NULL, or changes a frame before it passes; returns its new length. */
    uint32_t (*lie)(struct bpt_cutter *cutter, bool is_to_client, uint16_t type, uint8_t *value, uint32_t length);
    void *data;
} bpt_cutter;

void bpt_cutter_init(bpt_cutter *cutter, bpt_world *world);
void bpt_cutter_fini(bpt_cutter *cutter);

/* A turn of the world's loop, and of the network. */
void bpt_cutter_turn(bpt_cutter *cutter);

#define bpt_cutter_until(cutter, condition)                                                                            \
    while (!(condition)) bpt_cutter_turn(cutter)

#endif
