/* machine.h: what /proc tells about this machine, as telemetry messages. */
#ifndef BUFPOOL_DEMO_MACHINE_H
#define BUFPOOL_DEMO_MACHINE_H

#include "generated/market.h"

#include <dirent.h>

/* A walk over the processes that are there. */
typedef struct demo_processes {
    DIR *proc;
} demo_processes;

/* The machine now; what cannot be read stays 0. process_count is the caller's to fill. */
void demo_read_host(market_host_sample *out);

/* Opens the walk; false when there is no /proc. */
bool demo_processes_init(demo_processes *walk);
void demo_processes_fini(demo_processes *walk);

/* Begins anew. */
void demo_processes_rewind(demo_processes *walk);

/* The next process that still lives while it is read; false at the end. */
bool demo_processes_next(demo_processes *walk, market_process_sample *out);

/* Reads up to size bytes of a file; returns how many came, 0 when it cannot be read. */
size_t demo_read_file(const char *path, void *out, size_t size);

#endif
