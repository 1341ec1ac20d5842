#define _GNU_SOURCE
#include "bench.h"
#include "raw_socket.h"
#include "stream_peers.h"

#ifdef BENCH_HAS_NNG
#include <nng/nng.h>
#include <nng/protocol/pair0/pair.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

typedef struct sender {
    nng_socket socket;
    uint32_t size;
    uint64_t count;
} sender;

static void must(int status) {
    if (status != 0) bench_fail(nng_strerror(status));
}

static void *send_all(void *user) {
    static uint8_t value[BENCH_VALUE_MAX];
    const sender *s = user;
    bench_pin(1);
    for (uint64_t i = 0; i < s->count; i++) {
        memcpy(value, &i, 8);
        must(nng_send(s->socket, value, s->size, 0));
    }
    return NULL;
}

static void receive_all(nng_socket socket, uint32_t size, uint64_t count) {
    for (uint64_t i = 0; i < count; i++) {
        nng_msg *message;
        uint64_t number;
        must(nng_recvmsg(socket, &message, 0));
        memcpy(&number, nng_msg_body(message), 8);
        if (number != i || nng_msg_len(message) != size) bench_fail("nng lost a message");
        nng_msg_free(message);
    }
}

double bench_nng(bool is_tcp, uint32_t size, uint64_t count) {
    char address[64];
    pthread_t thread;
    nng_socket in;
    nng_listener listener;
    nng_sockaddr at;
    sender s = {.size = size, .count = count};
    must(nng_pair0_open(&in));
    must(nng_pair0_open(&s.socket));
    must(nng_socket_set_size(in, NNG_OPT_RECVMAXSZ, 0));
    snprintf(address, sizeof address, "ipc:///tmp/bufpool-bench-nng-%ld.sock", (long)getpid());
    must(nng_listen(in, is_tcp ? "tcp://127.0.0.1:0" : address, &listener, 0));
    if (is_tcp) {
        must(nng_listener_get_addr(listener, NNG_OPT_LOCADDR, &at));
        const uint8_t *port = (const uint8_t *)&at.s_in.sa_port;
        snprintf(address, sizeof address, "tcp://127.0.0.1:%d", port[0] << 8 | port[1]);
    }
    must(nng_dial(s.socket, address, NULL, 0));
    const uint64_t start = bench_now_ns();
    if (pthread_create(&thread, NULL, send_all, &s) != 0) bench_fail("no thread");
    receive_all(in, size, count);
    const uint64_t end = bench_now_ns();
    pthread_join(thread, NULL);
    nng_close(s.socket);
    nng_close(in);
    return (double)count / ((double)(end - start) / 1e9);
}
#else
double bench_nng(bool is_tcp, uint32_t size, uint64_t count) {
    (void)is_tcp, (void)size, (void)count;
    return BENCH_ABSENT;
}
#endif
