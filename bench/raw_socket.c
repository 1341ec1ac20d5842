#define _GNU_SOURCE
#include "raw_socket.h"
#include "bench.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { HEADER = BENCH_HEADER, VALUE_MAX = BENCH_VALUE_MAX, TYPE = 1000, WRITE_MAX = 60 * 1024, CHUNK = 64 * 1024 };

typedef struct sender {
    int fd;
    uint32_t size;
    uint64_t count;
} sender;

static void write_all(int fd, const uint8_t *data, size_t length) {
    while (length > 0) {
        const size_t part = length < WRITE_MAX ? length : WRITE_MAX;
        const ssize_t n = write(fd, data, part);
        if (n <= 0) bench_fail("raw write");
        data += n;
        length -= (size_t)n;
    }
}

size_t bench_build(uint8_t *at, uint32_t size, uint64_t number) {
    static const uint8_t body[VALUE_MAX];
    const uint16_t type = TYPE;
    memcpy(at, &type, 2);
    memcpy(at + 2, &size, 4);
    memcpy(at + HEADER, body, size);
    memcpy(at + HEADER, &number, 8);
    return HEADER + size;
}

static void *send_all(void *user) {
    static uint8_t batch[WRITE_MAX + HEADER + VALUE_MAX];
    const sender *s = user;
    size_t have = 0;
    bench_pin(1);
    for (uint64_t i = 0; i < s->count; i++) {
        if (have > 0 && have + HEADER + s->size > WRITE_MAX) {
            write_all(s->fd, batch, have);
            have = 0;
        }
        have += bench_build(batch + have, s->size, i);
    }
    write_all(s->fd, batch, have);
    return NULL;
}

size_t bench_parse(const uint8_t *data, size_t length, uint32_t size, uint64_t *next) {
    size_t at = 0;
    while (length - at >= HEADER) {
        uint16_t type;
        uint32_t frame_length;
        uint64_t number, last;
        memcpy(&type, data + at, 2);
        memcpy(&frame_length, data + at + 2, 4);
        if (type != TYPE || frame_length > VALUE_MAX) bench_fail("raw frame");
        if (length - at - HEADER < frame_length) break;
        memcpy(&number, data + at + HEADER, 8);
        memcpy(&last, data + at + HEADER + frame_length - 8, 8);
        if (number != (*next)++ || frame_length != size) bench_fail("raw order");
        bench_touch(&last);
        at += HEADER + frame_length;
    }
    return at;
}

static void receive_all(int fd, uint32_t size, uint64_t count) {
    static uint8_t chunk[CHUNK + HEADER + VALUE_MAX];
    size_t have = 0;
    uint64_t next = 0;
    while (next < count) {
        const ssize_t n = read(fd, chunk + have, sizeof chunk - have < CHUNK ? sizeof chunk - have : CHUNK);
        if (n <= 0) bench_fail("raw read");
        have += (size_t)n;
        const size_t taken = bench_parse(chunk, have, size, &next);
        memmove(chunk, chunk + taken, have - taken);
        have -= taken;
    }
}

static void tune(int fd) {
    const int bytes = 256 * 1024, on = 1;
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

static void tcp_pair(int fds[2]) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    const int listener = socket(AF_INET, SOCK_STREAM, 0);
    fds[0] = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) != 0 || listen(listener, 1) != 0 ||
        getsockname(listener, (struct sockaddr *)&address, &length) != 0 ||
        connect(fds[0], (struct sockaddr *)&address, sizeof address) != 0) {
        bench_fail("no loopback socket");
    }
    fds[1] = accept(listener, NULL, NULL);
    close(listener);
}

void bench_socket_pair(bool is_tcp, int fds[2]) {
    if (is_tcp) {
        tcp_pair(fds);
    } else if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) != 0) {
        bench_fail("no Unix socket");
    }
    tune(fds[0]);
    tune(fds[1]);
}

double bench_raw_socket(bool is_tcp, uint32_t size, uint64_t count) {
    int fds[2];
    pthread_t thread;
    bench_socket_pair(is_tcp, fds);
    sender s = {fds[0], size, count};
    const uint64_t start = bench_now_ns();
    if (pthread_create(&thread, NULL, send_all, &s) != 0) bench_fail("no thread");
    receive_all(fds[1], size, count);
    const uint64_t end = bench_now_ns();
    pthread_join(thread, NULL);
    close(fds[0]);
    close(fds[1]);
    return (double)count / ((double)(end - start) / 1e9);
}
