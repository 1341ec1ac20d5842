/* tests/support/wait_rig.h: a server whose connections wait for memory, and what came of it.
 *
 * Its pool has BPT_WAIT_LIMIT bytes, which a test has hogs take; the clients have pools of their own. */
#ifndef BUFPOOL_TESTS_WAIT_RIG_H
#define BUFPOOL_TESTS_WAIT_RIG_H

#include "tests/support/frame_rig.h"
#include "tests/support/hogs.h"

enum { BPT_WAIT_LIMIT = 4 << 20, BPT_WAIT_SEEDS = 100 };

void bpt_wait_start(bpt_rig *rig, int way, uint64_t partial_limit);

/* Connects client number ix, and waits until HELLO has been said by both. */
void bpt_wait_join(bpt_rig *rig, int ix, int way);

bp_pool *bpt_wait_pool(const bpt_rig *rig);

/* How many connections wait now, and how often one has. */
uint64_t bpt_waiting(const bpt_rig *rig);
uint64_t bpt_waits(const bpt_rig *rig);

/* Runs the loop until nothing of it is left to do at once. */
void bpt_wait_settle(bpt_rig *rig);

/* A raw peer in the middle of a frame that has its buffer already; wire keeps the frame. */
int bpt_wait_begin_frame(bpt_rig *rig, bpt_wire *wire, uint16_t type, uint32_t length, uint64_t seed);

/* The handler of client 0 waits, with a chunk: what others cannot take has to stay in their sockets. */
void bpt_wait_keep_chunk(bpt_rig *rig);

/* A timer's callback: sets the bool that its data points to. */
void bpt_note_time(uv_timer_t *timer);

/* ---- handlers ---- */

/* What came, in order: the seeds that the frames are filled with. */
typedef struct bpt_wait_log {
    uint64_t seeds[64];
    unsigned count, runs;
} bpt_wait_log;

/* How often a handler answers each frame, and with how much. */
typedef struct bpt_wait_answers {
    uint32_t size, count;
} bpt_wait_answers;

extern bpt_wait_log bpt_got;
extern bpt_wait_answers bpt_answer;

/* Below BPT_WAIT_SEEDS; that of an empty frame is 0. */
uint64_t bpt_wait_seed(const bp_frame *frame);

bp_err bpt_wait_note(bpt_side *side, bp_conn *conn, const bp_frame *frame);
void bpt_wait_check(unsigned count, const uint64_t *seeds);

/* From now on, each frame is answered so; forgets what came. */
void bpt_wait_expect(uint32_t size, uint32_t count);
bp_err bpt_wait_send_answers(bp_conn *conn, uint64_t seed);

/* Sends before it acts: bpt_got grows only when everything was sent. */
bp_err bpt_wait_answer(bpt_side *side, bp_conn *conn, const bp_frame *frame);

/* The client's, whose frames have the seeds 0, 1, 2. */
bp_err bpt_wait_check_answer(bpt_side *side, bp_conn *conn, const bp_frame *frame);

#endif
