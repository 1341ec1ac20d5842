/* tests/support/frame_rig.h: a server and clients of the hand-written schema on one loop, driven until something holds.
 *
 * A side counts what happens to it and hands frames to the test; nothing waits for a moment in time. */
#ifndef BUFPOOL_TESTS_FRAME_RIG_H
#define BUFPOOL_TESTS_FRAME_RIG_H

#include "bufpool/transport.h"
#include "tests/support/frame_schema.h"
#include "tests/support/suite.h"

#include <uv.h>

enum { BPT_CLIENT_MAX = 8 };

typedef struct bpt_rig bpt_rig;

/* A server, or a client. */
typedef struct bpt_side {
    bpt_rig *rig;
    bp_server *server;
    bp_client *client;
    bp_conn *conn; /* the connection that opened last, until it closes */
    unsigned opens, closes, drains;
    bp_err why; /* of the connection that closed last */
    uint64_t frames, unknown;
    bp_conn_stats stats; /* of the connection that closed last */
    uint64_t in_use_at_close;
    void *data;            /* the test's */
    bool is_invalid;       /* on_frame says: the frame breaks its contract */
    uint32_t session_size; /* of the service, set before its configuration is made */
    bp_hello hello;        /* set before its configuration is made */
    /* NULL: nothing is done. */
    bp_err (*on_frame)(struct bpt_side *side, bp_conn *conn, const bp_frame *frame);
    void (*on_open)(struct bpt_side *side, bp_conn *conn);
    void (*on_drain)(struct bpt_side *side, bp_conn *conn);
    void (*on_close)(struct bpt_side *side, bp_conn *conn);
} bpt_side;

struct bpt_rig {
    uv_loop_t loop;
    char directory[64]; /* of the test's own, for Unix sockets */
    char address[192];  /* where the server listens */
    bpt_side server, clients[BPT_CLIENT_MAX];
};

/* The four ways that most tests are run in: transport and pool. */
enum { BPT_WAYS = 4 };
bool bpt_way_is_unix(int way);
bool bpt_way_is_pooled(int way);

void bpt_rig_init(bpt_rig *rig);

/* For who counts descriptors: has libuv make what it makes once for a process and keeps. */
void bpt_rig_warm_up(void);

/* Ends every side, runs the loop until it is closed, and checks that nothing is left: handles, callbacks, files. */
void bpt_rig_fini(bpt_rig *rig);

/* A path in the test's own directory, as an address of `scheme` ("unix://") or plain (""). */
const char *bpt_rig_path(const bpt_rig *rig, const char *scheme, const char *name);

/* Configurations for the loop of the rig; tests change them before they start a side. */
bp_server_config bpt_rig_server_config(bpt_rig *rig, int way);
bp_client_config bpt_rig_client_config(bpt_rig *rig, int ix, int way);

/* Listens at a free address of the way's transport, and connects client number ix to it. */
void bpt_rig_listen(bpt_rig *rig, const bp_server_config *config, int way);
void bpt_rig_connect(bpt_rig *rig, int ix, const bp_client_config *config);

/* Both, with the defaults, until both sides are open and, where they say it, have had the other's HELLO. */
void bpt_rig_start(bpt_rig *rig, int way);

/* Whether the peer has said HELLO, so that nothing but what a test sends is on its way any more. */
bool bpt_has_met(const bp_conn *conn);

/* Runs the loop until the condition holds. */
#define bpt_rig_until(rig, condition)                                                                                  \
    while (!(condition)) uv_run(&(rig)->loop, UV_RUN_ONCE)

/* Runs the loop so many times, without waiting. */
void bpt_rig_turn(bpt_rig *rig, int count);

/* Sends a filled frame; it must be taken. */
void bpt_send(bp_conn *conn, uint16_t type, uint32_t length, uint64_t seed);

/* A raw, blocking socket connected to the server of the rig. */
int bpt_rig_raw(bpt_rig *rig);

/* The same, when HELLO has been said by both. */
int bpt_rig_raw_met(bpt_rig *rig);

/* Writes everything; the peer must be there. */
void bpt_raw_write(int fd, const uint8_t *data, size_t length);

/* For servers on other threads: says HELLO, and waits for the server's, which must come next. */
void bpt_raw_say_hello(int fd);
void bpt_raw_take_hello(int fd);

#endif
