/* tests/support/clock_rig.h: a server whose loop's clock the tests move on themselves. */
#ifndef BUFPOOL_TESTS_CLOCK_RIG_H
#define BUFPOOL_TESTS_CLOCK_RIG_H

#include "tests/support/frame_rig.h"
#include "transport/transport_internal.h"

/* Milliseconds. */
enum { BPT_CLOCK_DEADLINE = 1000000, BPT_CLOCK_STEP = 100000 };

/* The loop of the server's connection. */
bpi_loop *bpt_clock_loop(bpt_rig *rig);
bool bpt_clock_is_ticking(bpt_rig *rig);

/* Moves the clock on in steps, until ms have passed or a connection is closed. */
void bpt_clock_pass(bpt_rig *rig, uint32_t ms);

/* Nothing has a deadline but what the test gives one. */
bp_server_config bpt_clock_config(bpt_rig *rig, int way);

/* Listens, and connects a raw socket. */
int bpt_clock_start(bpt_rig *rig, const bp_server_config *config, int way);

/* The same from the beginning, with a deadline for frames alone. */
int bpt_clock_start_frame(bpt_rig *rig, int way, uint32_t frame_ms);

void bpt_clock_put(int fd, const bpt_wire *wire, size_t from, size_t count);

/* Sends the client more than any socket takes. */
void bpt_clock_block(bpt_rig *rig);

#endif
