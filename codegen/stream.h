/* codegen/stream.h: bytes of a file or pipe, as they come.
 *
 * Memory grows with what has come, never with what was announced. */
#ifndef BUFPOOL_CODEGEN_STREAM_H
#define BUFPOOL_CODEGEN_STREAM_H

#include "codegen/arena.h"

#include <stdint.h>

typedef struct cg_stream cg_stream;

/* Opens a file; "-" is standard input. NULL: it cannot be opened; stderr says why. */
cg_stream *cg_stream_open(cg_arena *arena, const char *path);

/* Calls wait(user) before every read: the moment in which bytes may have to be waited for. */
void cg_stream_on_wait(cg_stream *stream, void (*wait)(void *user), void *user);

/* The next count bytes, valid until the next call; fewer only where the stream ends or fails. Marks of the arena must
 * not be set while it waits. */
const uint8_t *cg_stream_peek(cg_stream *stream, size_t count, size_t *available);

/* Passes over count bytes; returns how many there were. */
uint64_t cg_stream_skip(cg_stream *stream, uint64_t count);

/* Bytes that were passed over. */
uint64_t cg_stream_offset(const cg_stream *stream);

/* CG_FAILED: reading failed; stderr says why. */
cg_status cg_stream_status(const cg_stream *stream);

#endif
