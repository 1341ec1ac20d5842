/* tests/support/transfer_peer.h: a server of objects and peers that say what they like, by generated messages alone, on
 * one loop. */
#ifndef BUFPOOL_TESTS_TRANSFER_PEER_H
#define BUFPOOL_TESTS_TRANSFER_PEER_H

#include "tests/support/frame_rig.h"
#include "tests/support/mem_store.h"
#include "transfer/generated/bpi_transfer.h"

#include <pthread.h>

enum {
    BPT_TOLD_MAX = 4096,      /* transfers of a peer */
    BPT_PART_SIZE = 4096,
    BPT_NAMES_MAX = 256,
    BPT_SEED = 7              /* of what is put and got, where a test does not care */
};

/* What a peer was told of a transfer. */
typedef struct bpt_told {
    unsigned put_opened, get_opened, committed, failed, list_ended; /* how often */
    unsigned parts_done, parts, listed;
    uint64_t done, got; /* bit n is part n */
    bpi_transfer_put_opened put;
    bpi_transfer_get_opened get;
    uint64_t version;
    bp_err err; /* of Failed */
    uint64_t err_part;
    char text[128];
    bool has_more;
    uint64_t offset, part_size, seed; /* what the test says that a get's bytes are */
    unsigned said; /* the test's */
} bpt_told;

typedef struct bpt_peers bpt_peers;

typedef struct bpt_peer {
    bpt_peers *all;
    bpt_side *side;
    bpt_told *told; /* by number */
    char names[BPT_NAMES_MAX][64];
    unsigned name_count;
    uint64_t frames; /* that it was told anything with */
} bpt_peer;

struct bpt_peers {
    bpt_rig rig;
    bp_store *store;
    bp_transfer_server *server;
    bpt_peer peers[BPT_CLIENT_MAX];
    bool is_threaded;
    pthread_t thread; /* runs the server, where that has loops of its own */
};

/* What a test may have otherwise. */
typedef struct bpt_peers_options {
    int way; /* of the rig */
    bp_store *store; /* the reference is taken; NULL: one in memory, that answers inside */
    bp_transfer_server_config config;
    bp_pool *pool; /* of the server */
    bp_pool_factory *factory;
    void *factory_user;
    uint32_t send_queue_bytes;
    bp_full full_policy;
    uint32_t peer_count; /* 0: one */
    uint32_t threads;    /* 0: the server is on the rig's loop; else on so many of its own */
    bp_invalid invalid;
} bpt_peers_options;

void bpt_peers_start(bpt_peers *peers, const bpt_peers_options *options);

/* Closes everything, and checks that nothing is left of any transfer. */
void bpt_peers_fini(bpt_peers *peers);

/* Another connection of the peer's: its transfers are forgotten, and numbers begin anew. */
void bpt_peer_connect(bpt_peers *peers, int ix, const bpt_peers_options *options);

#define bpt_peers_until(peers, condition) bpt_rig_until(&(peers)->rig, condition)

/* Runs the loop until the server has handled all that was said so far, and the peer heard what came of it, as far as
 * that does not wait for anything. */
void bpt_peers_settle(bpt_peers *peers);

bp_transfer_stats bpt_peers_stats(const bpt_peers *peers);

/* ---- what a peer says ---- */

void bpt_say_put_open(bpt_peer *peer, uint32_t number, const char *name, uint64_t size, const uint8_t *token);
void bpt_say_put_open_as(bpt_peer *peer, const bpi_transfer_put_open *message);
void bpt_say_part(bpt_peer *peer, uint32_t number, uint64_t part, uint32_t length);
void bpt_say_part_as(bpt_peer *peer, const bpi_transfer_part *part);
void bpt_say_commit(bpt_peer *peer, uint32_t number, uint64_t size);
void bpt_say_commit_as(bpt_peer *peer, uint32_t number, uint64_t size, uint32_t crc);
void bpt_say_get_open(bpt_peer *peer, uint32_t number, const char *name, uint64_t offset, uint64_t length);
void bpt_say_want(bpt_peer *peer, uint32_t number, uint64_t part);
void bpt_say_list(bpt_peer *peer, uint32_t number, const char *prefix, const char *after);
void bpt_say_end(bpt_peer *peer, uint32_t number, bool is_discarded);

/* ---- whole transfers ---- */

/* Opens, and waits until it is. */
bpt_told *bpt_open_put(bpt_peer *peer, uint32_t number, const char *name, uint64_t size);
bpt_told *bpt_open_get(bpt_peer *peer, uint32_t number, const char *name);

/* From beginning to end, in parts of BPT_PART_SIZE; checks what came of it. */
void bpt_serve_put(bpt_peer *peer, uint32_t number, const char *name, uint64_t size);
void bpt_serve_get(bpt_peer *peer, uint32_t number, const char *name, uint64_t size);

/* Waits for Failed, which has to come once. */
void bpt_await_failed(bpt_peer *peer, uint32_t number, bp_err err, uint64_t part);

#endif
