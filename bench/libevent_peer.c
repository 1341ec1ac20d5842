#define _GNU_SOURCE
#include "bench.h"
#include "raw_socket.h"
#include "stream_peers.h"

#ifdef BENCH_HAS_LIBEVENT
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <pthread.h>

enum { QUEUE = 256 * 1024, READ_MAX = 64 * 1024 };

typedef struct side {
    struct event_base *base;
    struct bufferevent *stream;
    uint32_t size;
    uint64_t count, next;
} side;

static void open_side(side *s, int fd) {
    evutil_make_socket_nonblocking(fd);
    s->base = event_base_new();
    s->stream = bufferevent_socket_new(s->base, fd, BEV_OPT_CLOSE_ON_FREE);
    bufferevent_set_max_single_read(s->stream, READ_MAX);
    bufferevent_set_max_single_write(s->stream, READ_MAX);
}

static void close_side(side *s) {
    bufferevent_free(s->stream);
    event_base_free(s->base);
}

static void on_writable(struct bufferevent *stream, void *user) {
    static uint8_t frame[BENCH_HEADER + BENCH_VALUE_MAX];
    side *s = user;
    struct evbuffer *queue = bufferevent_get_output(stream);
    if (s->next == s->count && evbuffer_get_length(queue) == 0) event_base_loopbreak(s->base);
    while (s->next < s->count && evbuffer_get_length(queue) < QUEUE) {
        bufferevent_write(stream, frame, bench_build(frame, s->size, s->next++));
    }
    if (s->next == s->count) bufferevent_setwatermark(stream, EV_WRITE, 0, 0);
}

static void on_readable(struct bufferevent *stream, void *user) {
    side *s = user;
    struct evbuffer *input = bufferevent_get_input(stream);
    const size_t length = evbuffer_get_length(input);
    evbuffer_drain(input, bench_parse(evbuffer_pullup(input, -1), length, s->size, &s->next));
    if (s->next == s->count) event_base_loopbreak(s->base);
}

static void *send_all(void *user) {
    side *s = user;
    bench_pin(1);
    bufferevent_setcb(s->stream, NULL, on_writable, NULL, s);
    bufferevent_setwatermark(s->stream, EV_WRITE, QUEUE / 2, 0);
    bufferevent_enable(s->stream, EV_WRITE);
    event_base_dispatch(s->base);
    return NULL;
}

double bench_libevent(bool is_tcp, uint32_t size, uint64_t count) {
    int fds[2];
    pthread_t thread;
    side out = {.size = size, .count = count}, in = {.size = size, .count = count};
    bench_socket_pair(is_tcp, fds);
    open_side(&out, fds[0]);
    open_side(&in, fds[1]);
    const uint64_t start = bench_now_ns();
    if (pthread_create(&thread, NULL, send_all, &out) != 0) bench_fail("no thread");
    bufferevent_setcb(in.stream, on_readable, NULL, NULL, &in);
    bufferevent_enable(in.stream, EV_READ);
    event_base_dispatch(in.base);
    const uint64_t end = bench_now_ns();
    pthread_join(thread, NULL);
    close_side(&out);
    close_side(&in);
    return (double)count / ((double)(end - start) / 1e9);
}
#else
double bench_libevent(bool is_tcp, uint32_t size, uint64_t count) {
    (void)is_tcp, (void)size, (void)count;
    return BENCH_ABSENT;
}
#endif
