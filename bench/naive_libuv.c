#define _GNU_SOURCE
/* What one writes first with libuv: a write with a request and a buffer from malloc for each message, a buffer from
 * malloc for each read. */
#include "bench.h"
#include "raw_socket.h"
#include "stream_peers.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

enum { OUTSTANDING = 1000, ROOM = 2 * (BENCH_HEADER + BENCH_VALUE_MAX) + 65536 };

typedef struct side {
    uv_loop_t loop;
    union {
        uv_stream_t stream;
        uv_tcp_t tcp;
        uv_pipe_t pipe;
    } handle;
    uint32_t size;
    uint64_t count, next, outstanding;
    uint8_t *have; /* bytes of a frame that is not whole */
    size_t have_length;
} side;

static void open_side(side *s, bool is_tcp, int fd) {
    uv_loop_init(&s->loop);
    if (is_tcp) {
        uv_tcp_init(&s->loop, &s->handle.tcp);
        if (uv_tcp_open(&s->handle.tcp, fd) != 0) bench_fail("uv_tcp_open");
    } else {
        uv_pipe_init(&s->loop, &s->handle.pipe, 0);
        if (uv_pipe_open(&s->handle.pipe, fd) != 0) bench_fail("uv_pipe_open");
    }
    s->handle.stream.data = s;
}

static void close_side(side *s) {
    uv_close((uv_handle_t *)&s->handle.stream, NULL);
    uv_run(&s->loop, UV_RUN_DEFAULT);
    uv_loop_close(&s->loop);
}

typedef struct message {
    uv_write_t request;
    uint8_t bytes[];
} message;

static void send_more(side *s);

static void on_written(uv_write_t *request, int status) {
    side *s = request->handle->data;
    if (status != 0) bench_fail("uv_write");
    free(request);
    s->outstanding--;
    if (s->outstanding == 0) send_more(s);
}

static void send_more(side *s) {
    for (; s->next < s->count && s->outstanding < OUTSTANDING; s->next++) {
        message *m = malloc(sizeof *m + BENCH_HEADER + s->size);
        if (m == NULL) bench_fail("malloc");
        uv_buf_t buf = uv_buf_init((char *)m->bytes, (unsigned)bench_build(m->bytes, s->size, s->next));
        if (uv_write(&m->request, &s->handle.stream, &buf, 1, on_written) != 0) bench_fail("uv_write");
        s->outstanding++;
    }
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf) {
    (void)handle;
    *buf = uv_buf_init(malloc(suggested), (unsigned)suggested);
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buf) {
    side *s = stream->data;
    if (count < 0) bench_fail("the stream ended");
    memcpy(s->have + s->have_length, buf->base, (size_t)count);
    free(buf->base);
    s->have_length += (size_t)count;
    const size_t taken = bench_parse(s->have, s->have_length, s->size, &s->next);
    memmove(s->have, s->have + taken, s->have_length - taken);
    s->have_length -= taken;
    if (s->next == s->count) uv_read_stop(stream);
}

static void *send_all(void *user) {
    side *s = user;
    bench_pin(1);
    send_more(s);
    uv_run(&s->loop, UV_RUN_DEFAULT);
    return NULL;
}

double bench_naive_libuv(bool is_tcp, uint32_t size, uint64_t count) {
    int fds[2];
    pthread_t thread;
    side out = {.size = size, .count = count}, in = {.size = size, .count = count, .have = malloc(ROOM)};
    if (in.have == NULL) bench_fail("malloc");
    bench_socket_pair(is_tcp, fds);
    open_side(&out, is_tcp, fds[0]);
    open_side(&in, is_tcp, fds[1]);
    const uint64_t start = bench_now_ns();
    if (pthread_create(&thread, NULL, send_all, &out) != 0) bench_fail("no thread");
    uv_read_start(&in.handle.stream, on_alloc, on_read);
    uv_run(&in.loop, UV_RUN_DEFAULT);
    const uint64_t end = bench_now_ns();
    pthread_join(thread, NULL);
    close_side(&out);
    close_side(&in);
    free(in.have);
    return (double)count / ((double)(end - start) / 1e9);
}
