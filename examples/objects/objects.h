/* objects.h: a server of objects, and a client that puts, gets and lists them.
 *
 *     objects serve /srv/objects                      # on tcp://127.0.0.1:7001
 *     objects put today.log logs/today                # or: tar c . | objects put - backup.tar
 *     objects get logs/today copy.log                 # or: objects get backup.tar - | tar x
 *     objects ls logs/
 *
 * What was put or got before something broke, or was interrupted, goes on with the token that is then printed:
 * objects put -t TOKEN ..., with the same operands. */
#ifndef OBJECTS_H
#define OBJECTS_H

#include <bufpool/bufpool.h>
#include <stdio.h>

/* What the command line says. */
typedef struct command_line {
    const char *command;
    const char *operands[2]; /* what stands behind the command; NULL: nothing */
    const char *address;
    const char *secret;      /* TOKEN, or of a get TOKEN@VERSION, of what is to be gone on with; NULL: none */
    uint64_t memory;         /* bytes that the pool may take */
    uint64_t part_size;      /* bytes */
    uint64_t parts_in_flight;
    uint64_t offset, length; /* of a get; 0, 0: all of it */
    uint64_t retry_ms;       /* how long a lost connection is tried again */
    bool is_verbose;
} command_line;

/* The exit status. */
int serve(const command_line *options);
int put(const command_line *options);
int get(const command_line *options);
int list(const command_line *options);

/* "objects: <what>: <why>" on standard error. */
void complain(const char *what, const char *why);

/* Text that may come from anywhere: what would command a terminal is replaced. */
void print_text(FILE *out, const char *text);

/* What was transferred, and in how much memory; where that is wanted. */
void tell(const command_line *options, bp_pool *pool, const bp_transfer_stats *stats);

/* A line that shows how far it is, on a terminal only. */
typedef struct progress_bar {
    const char *name;
    uint64_t began_ns, shown_ns, first; /* first: bytes that were there before */
    bool is_shown;
} progress_bar;

void bar_show(progress_bar *bar, const bp_progress *progress);
void bar_end(progress_bar *bar);

#endif
