/* demo.h: the demo's two sides and what they tell about themselves.
 *
 * The collector (this process) serves the market schema; the agent (a process of its own, the same program started
 * again) connects to it, samples the machine and replays a market burst. Both count what they did; the demo compares
 * the two accounts and shows them. */
#ifndef BUFPOOL_DEMO_H
#define BUFPOOL_DEMO_H

#include "generated/market.h"

#define DEMO_MESSAGE_IX(name, NAME) DEMO_##NAME,
enum { MARKET_MESSAGES(DEMO_MESSAGE_IX) DEMO_MESSAGE_COUNT };

enum { DEMO_INSTRUMENT_COUNT = 16 };

/* What one side did, and how its memory went. Plain data: the agent writes its own to a pipe. */
typedef struct demo_side {
    uint64_t messages[DEMO_MESSAGE_COUNT]; /* delivered (collector) or sent (agent), by type */
    uint64_t acks;                         /* sent (collector) or received (agent) */
    uint64_t allocations;                  /* calls of malloc and its kin while connected */
    uint64_t nanoseconds;                  /* from connected to closed */
    uint64_t bytes;                        /* on the wire, headers included */
    uint64_t gaps;                         /* order books out of sequence */
    uint64_t committed_start, committed_peak, committed_after_trim; /* bytes */
    uint64_t in_use_end;                                            /* buffers, exact ones included */
    bp_err ended;                                                   /* how the connection ended */
    uint32_t class_count;
    bp_class_stats classes[BP_CLASS_MAX];
    bp_class_stats total;
} demo_side;

/* Reads what the pool has committed before anything went through it. */
void demo_side_open(demo_side *side, bp_pool *pool);

/* Reads the pool's final counts into side, trims it and reads what is left. */
void demo_side_close(demo_side *side, bp_pool *pool);

/* Messages of every type together. */
uint64_t demo_side_messages(const demo_side *side);

/* Runs one agent against address for milliseconds; what it did goes to *out. Errors of the connection are in
 * out->ended; the result tells whether the agent could run at all. */
bp_err demo_agent_run(const char *address, uint64_t milliseconds, demo_side *out);

/* Listens at address, starts an agent process (program is this executable's path), serves it to its end. */
bp_err demo_collector_run(const char *program, const char *address, uint64_t milliseconds, demo_side *collector,
                          demo_side *agent);

/* A line that is replaced by the next one on a terminal, and a plain line elsewhere. */
void demo_progress(const char *text);
void demo_progress_end(void);

/* Prints the table for one transport, checks the claims and returns how many did not hold. */
int demo_report(const char *transport, const demo_side *collector, const demo_side *agent);

#endif
