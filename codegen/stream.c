#define _POSIX_C_SOURCE 200809L
#include "codegen/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { FIRST_ROOM = 128 * 1024 };

struct cg_stream {
    cg_arena *arena;
    const char *path;
    int fd;
    uint8_t *data; /* room bytes; what was read and not passed over is begin .. end - 1 */
    size_t room, begin, end;
    uint64_t offset; /* of data[begin] in the stream */
    bool has_ended;
    cg_status status;
    void (*wait)(void *user);
    void *user;
};

static void no_wait(void *user) { (void)user; }

static void close_stream(void *what) {
    const cg_stream *stream = what;
    if (stream->fd != STDIN_FILENO) close(stream->fd);
}

cg_stream *cg_stream_open(cg_arena *arena, const char *path) {
    const bool is_stdin = strcmp(path, "-") == 0;
    cg_stream *stream = CG_NEW(arena, cg_stream);
    *stream = (cg_stream){.arena = arena, .path = is_stdin ? "standard input" : path, .wait = no_wait};
    stream->room = FIRST_ROOM;
    stream->data = cg_arena_alloc(arena, FIRST_ROOM);
    stream->fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (stream->fd < 0) {
        fprintf(stderr, "bufpoolc: %s: %s\n", path, strerror(errno));
        return NULL;
    }
    cg_arena_defer(arena, close_stream, stream);
    return stream;
}

void cg_stream_on_wait(cg_stream *stream, void (*wait)(void *user), void *user) {
    stream->wait = wait;
    stream->user = user;
}

/* Makes room behind what is there. */
static void make_room(cg_stream *stream) {
    if (stream->begin != 0) {
        memmove(stream->data, stream->data + stream->begin, stream->end - stream->begin);
        stream->end -= stream->begin;
        stream->begin = 0;
    }
    if (stream->end < stream->room) return;
    stream->data = cg_arena_extend(stream->arena, stream->data, stream->room, 2 * stream->room);
    stream->room *= 2;
}

static void read_more(cg_stream *stream) {
    ssize_t count;
    if (stream->end == stream->room) make_room(stream);
    stream->wait(stream->user);
    do {
        count = read(stream->fd, stream->data + stream->end, stream->room - stream->end);
    } while (count < 0 && errno == EINTR);
    if (count > 0) stream->end += (size_t)count;
    stream->has_ended = count <= 0;
    if (count >= 0) return;
    fprintf(stderr, "bufpoolc: %s: %s\n", stream->path, strerror(errno));
    stream->status = CG_FAILED;
}

const uint8_t *cg_stream_peek(cg_stream *stream, size_t count, size_t *available) {
    while (stream->end - stream->begin < count && !stream->has_ended) read_more(stream);
    const size_t there = stream->end - stream->begin;
    *available = there < count ? there : count;
    return stream->data + stream->begin;
}

uint64_t cg_stream_skip(cg_stream *stream, uint64_t count) {
    uint64_t skipped = 0;
    for (;;) {
        const size_t there = stream->end - stream->begin;
        const size_t step = count - skipped < there ? (size_t)(count - skipped) : there;
        stream->begin += step;
        stream->offset += step;
        skipped += step;
        if (skipped == count || stream->has_ended) return skipped;
        read_more(stream);
    }
}

uint64_t cg_stream_offset(const cg_stream *stream) { return stream->offset; }

cg_status cg_stream_status(const cg_stream *stream) { return stream->status; }
