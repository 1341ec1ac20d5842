/* tests/support/talk.h: a server with versions of a schema, and a raw peer that says HELLO, GOODBYE, or anything. */
#ifndef BUFPOOL_TESTS_TALK_H
#define BUFPOOL_TESTS_TALK_H

#include "tests/support/frame_rig.h"

/* The server's schema is BPT_TALK_ID in version BPT_TALK_NOW, and reads what is not older than BPT_TALK_OLDEST. */
enum { BPT_TALK_HEAD = 6, BPT_TALK_MAX = 2048, BPT_TALK_ID = 77, BPT_TALK_OLDEST = 3, BPT_TALK_NOW = 6 };

/* Bytes that a peer sends. */
typedef struct bpt_bytes {
    uint8_t data[BPT_TALK_MAX];
    size_t length;
} bpt_bytes;

/* An entry of HELLO. */
typedef struct bpt_said {
    uint32_t id;
    uint16_t version, min_compatible;
    uint64_t hash;
} bpt_said;

extern const bpt_said bpt_said_good;

void bpt_say_head(bpt_bytes *b, uint16_t type, uint32_t length);
/* Of length bytes: the kind and the byte behind it, as far as they fit, and then anything. */
void bpt_say_control(bpt_bytes *b, uint8_t kind, uint8_t second, uint32_t length);
void bpt_say_hello(bpt_bytes *b, const bpt_said *entries, uint16_t count);
void bpt_say_small(bpt_bytes *b, uint64_t seed);
void bpt_say_goodbye(bpt_bytes *b);

/* ---- a server, and a raw peer ---- */

typedef struct bpt_talk {
    bpt_rig rig;
    bp_schema schema;
    char why[160];
    uint16_t version; /* that the peer has, when the connection opens */
    uint16_t version_at_close;
    int fd;
} bpt_talk;

/* The server's on_open: takes note of the version. */
void bpt_talk_open(bpt_side *side, bp_conn *conn);

/* Both are done by start, which also listens and connects the peer. */
void bpt_talk_init(bpt_talk *talk);
bp_server_config bpt_talk_configure(bpt_talk *talk, bp_hello hello);
void bpt_talk_start(bpt_talk *talk, bp_hello hello);

void bpt_talk_put(const bpt_talk *talk, const void *data, size_t length);
bool bpt_talk_is_over(const bpt_talk *talk);

/* Sends the bytes and the end; waits until the connection is gone. */
void bpt_talk_whole(bpt_talk *talk, const bpt_bytes *b);

void bpt_talk_fini(bpt_talk *talk);

#endif
