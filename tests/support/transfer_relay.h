/* tests/support/transfer_relay.h: a network between two processes that speak of objects, which stops at a byte. It
 * connects whoever comes with a server, passes bytes on in both directions, and shows every whole frame that it got.
 *
 * It has plain sockets and no loop, so that a process that forks others may have it. */
#ifndef BUFPOOL_TESTS_TRANSFER_RELAY_H
#define BUFPOOL_TESTS_TRANSFER_RELAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { BPT_RELAY_CHUNK = 1 << 16, BPT_RELAY_FRAME = 1 << 17, BPT_RELAY_ADDRESS = 192 };

typedef enum bpt_direction { BPT_TO_SERVER, BPT_TO_CLIENT } bpt_direction;

typedef struct bpt_relay_way {
    int from, to;
    uint8_t chunk[BPT_RELAY_CHUNK]; /* read, and passed on up to chunk_at */
    size_t chunk_count, chunk_at;
    uint64_t passed, limit; /* bytes of this connection, and how many may pass */
    uint8_t frame[BPT_RELAY_FRAME];
    size_t frame_count;
} bpt_relay_way;

typedef struct bpt_relay {
    int listener;
    char address[BPT_RELAY_ADDRESS]; /* where the client connects to */
    bool is_open;
    bpt_relay_way ways[2]; /* by direction */
    /* A frame was read; it passes, if its receiver lives. */
    void (*on_frame)(bpt_direction to, uint16_t type, const uint8_t *value, uint32_t length);
} bpt_relay;

/* Listens at a Unix socket of that path; NULL: at a free port. */
void bpt_relay_init(bpt_relay *relay, const char *path);
void bpt_relay_fini(bpt_relay *relay);

/* In a child: the connections are the parent's. */
void bpt_relay_forget(const bpt_relay *relay);

/* Waits until something comes, on `also`, too, and passes it on; a client that comes is connected with the server. */
void bpt_relay_turn(bpt_relay *relay, const char *server, int also);

/* A way's limit is reached, and all that it allows was passed on. */
bool bpt_relay_is_at_limit(const bpt_relay *relay, bpt_direction to);
bool bpt_relay_is_idle(const bpt_relay *relay); /* nothing that was read is still to be passed on */

/* The client is gone: nothing of it is passed on any more. Reads what the server still says until it closes. */
void bpt_relay_lose_client(bpt_relay *relay);

/* The server is gone: reads what it said last, and closes both. */
void bpt_relay_lose_server(bpt_relay *relay);

#endif
