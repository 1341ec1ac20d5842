/* tests/support/transfer_lives.h: processes that may be killed at any moment: a server of objects, and a client that
 * makes one transfer and tells of it. The process that forks them has no thread and no pool.
 *
 * A process that ends well checked that nothing was left of it: buffers, descriptors. What it found wrong is the line
 * of transfer_lives.c that its status is. */
#ifndef BUFPOOL_TESTS_TRANSFER_LIVES_H
#define BUFPOOL_TESTS_TRANSFER_LIVES_H

#include "bufpool/transfer.h"
#include "tests/support/transfer_relay.h"

#include <sys/types.h>

enum { BPT_LIFE_PATH = 128 };

typedef enum bpt_source { BPT_FROM_FILE, BPT_FROM_MEMORY, BPT_WRITTEN, BPT_SOURCES } bpt_source;

/* What a client does. */
typedef struct bpt_errand {
    const char *address;
    bool is_get; /* to the file of that path; else a put */
    bpt_source source;
    const char *name, *path;
    const uint8_t *bytes; /* size of them, for a put that is not from a file */
    uint64_t size;
    uint32_t part_size, parts_in_flight;
    bp_token token;
    uint64_t version; /* of a get that goes on */
    bool comes_back;  /* by itself, when its connection is lost */
} bpt_errand;

/* What it tells, as it happens. */
typedef enum bpt_news { BPT_HAS_TOKEN, BPT_HAS_FOUND, BPT_HAS_MOVED, BPT_IS_DONE } bpt_news;

typedef struct bpt_report {
    bpt_news news;
    bp_token token;
    uint64_t version;
    uint64_t done; /* bytes */
    bp_err err;
} bpt_report;

typedef struct bpt_life {
    pid_t process; /* 0: there is none */
    int news;      /* from where reports are read; at its end the process has ended */
} bpt_life;

/* The child forgets what the relay has open. */
void bpt_life_of_server(bpt_life *life, const bpt_relay *relay, const char *directory, const char *address);
void bpt_life_of_client(bpt_life *life, const bpt_relay *relay, const bpt_errand *errand);

/* A server's first word: where it listens. */
void bpt_life_address(const bpt_life *life, char address[BPT_RELAY_ADDRESS]);

/* The next report, if there is one; *has_ended: there will be none. */
bool bpt_life_report(const bpt_life *life, bpt_report *report, bool *has_ended);

/* Waits for its end, which must be a good one. */
void bpt_life_end(bpt_life *life);

/* SIGKILL; it may have ended well just before. What it told can still be read, until bpt_life_close. */
void bpt_life_kill(bpt_life *life);
void bpt_life_close(bpt_life *life);

#endif
