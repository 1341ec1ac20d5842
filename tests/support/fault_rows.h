/* tests/support/fault_rows.h: the system calls that the transports make, or have libuv make, with every error that each
 * may have and what that may lead to; and what trials with one of them have in common. */
#ifndef BUFPOOL_TESTS_FAULT_ROWS_H
#define BUFPOOL_TESTS_FAULT_ROWS_H

#include "bufpool/transport.h"
#include "tests/support/suite.h"
#include "tests/support/system_faults.h"

enum { BPT_ON_TCP = 1, BPT_ON_UNIX = 2, BPT_ON_BOTH = BPT_ON_TCP | BPT_ON_UNIX };

/* What an error may lead to, besides nothing at all. */
typedef enum bpt_outcome {
    BPT_PASSED_OVER, /* everything arrives and nobody is told */
    BPT_NOT_STARTED, /* the call that makes a side answers it, or, where it came later, everything arrives */
    BPT_LOST,        /* the connection closes with it on the side where it happened */
    BPT_STOPPED,     /* either of these two */
} bpt_outcome;

typedef struct bpt_fault_row {
    bpt_fault fault;
    bpt_outcome outcome;
    bp_err err; /* as the side is told */
    int where;  /* transports that make the call */
} bpt_fault_row;

#define BPT_ERROR(NAME, number) { .call = BPT_CALL_##NAME, .error = number }

/* Pairs that no system makes are not in it: a read that is cut short looks to libuv like the end of a stream, and most
 * of epoll_ctl's errors end the process there. Small reads are what the proxy is for (proxy_test.c). */
extern const bpt_fault_row bpt_fault_rows[];
extern const int bpt_fault_row_count;

enum { BPT_FAULT_CALLS = 30 /* so many of each kind fail, one in each trial */ };

/* Whether the way's transport makes the call. */
bool bpt_fault_is_for(const bpt_fault_row *row, int way);

/* Whether a server or a client may answer err when it is made. */
bool bpt_fault_may_stop_start(const bpt_fault_row *row, bp_err err);

/* Whether the side that was struck was told, where the row allows that: the other one sees an end of some sort, or
 * nothing (BP_OK) where the connection never came about. A client that had all its answers was ready. */
bool bpt_fault_is_told(const bpt_fault_row *row, bp_err client, bp_err server, bool has_all);

/* Frames of every size, by number. */
enum { BPT_FAULT_FRAMES = 32 };
uint16_t bpt_fault_type(uint64_t n);
uint32_t bpt_fault_length(uint64_t n);
bp_buf *bpt_fault_buf(bp_pool *pool, uint64_t n);
bool bpt_fault_is_frame(const bp_frame *frame, uint64_t n);

/* Every trial has a name, and one that does not come to its end says it before the process ends. */
extern char bpt_fault_trial[160];
void bpt_fault_trial_begins(const bpt_fault_row *row, const char *setting, int way, uint64_t before);
void bpt_fault_trial_ends(void);

#define bpt_fault_must(condition)                                                                                      \
    ck_assert_msg(condition, "%s: does not hold: %s", bpt_fault_trial, #condition)

#endif
