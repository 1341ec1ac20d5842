#define _GNU_SOURCE
#include "bench.h"
#include "raw_socket.h"
#include "stream_peers.h"

#ifdef BENCH_HAS_ZEROMQ
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <zmq.h>

typedef struct sender {
    void *context;
    const char *address;
    uint32_t size;
    uint64_t count;
} sender;

static void *send_all(void *user) {
    static uint8_t value[BENCH_VALUE_MAX];
    const sender *s = user;
    bench_pin(1);
    void *socket = zmq_socket(s->context, ZMQ_PUSH);
    if (zmq_connect(socket, s->address) != 0) bench_fail("zmq_connect");
    for (uint64_t i = 0; i < s->count; i++) {
        memcpy(value, &i, 8);
        if (zmq_send(socket, value, s->size, 0) != (int)s->size) bench_fail("zmq_send");
    }
    zmq_close(socket);
    return NULL;
}

static void receive_all(void *socket, uint32_t size, uint64_t count) {
    zmq_msg_t message;
    zmq_msg_init(&message);
    for (uint64_t i = 0; i < count; i++) {
        uint64_t number;
        if (zmq_msg_recv(&message, socket, 0) != (int)size) bench_fail("zmq_msg_recv");
        memcpy(&number, zmq_msg_data(&message), 8);
        if (number != i) bench_fail("ZeroMQ lost a message");
    }
    zmq_msg_close(&message);
}

double bench_zeromq(bool is_tcp, uint32_t size, uint64_t count) {
    char path[64], address[128];
    size_t length = sizeof address;
    pthread_t thread;
    void *context = zmq_ctx_new(), *socket = zmq_socket(context, ZMQ_PULL);
    snprintf(path, sizeof path, "/tmp/bufpool-bench-zmq-%ld.sock", (long)getpid());
    snprintf(address, sizeof address, "ipc://%s", path);
    if (zmq_bind(socket, is_tcp ? "tcp://127.0.0.1:*" : address) != 0) bench_fail("zmq_bind");
    zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, address, &length);
    sender s = {context, address, size, count};
    const uint64_t start = bench_now_ns();
    if (pthread_create(&thread, NULL, send_all, &s) != 0) bench_fail("no thread");
    receive_all(socket, size, count);
    const uint64_t end = bench_now_ns();
    pthread_join(thread, NULL);
    zmq_close(socket);
    zmq_ctx_term(context);
    if (!is_tcp) unlink(path);
    return (double)count / ((double)(end - start) / 1e9);
}
#else
double bench_zeromq(bool is_tcp, uint32_t size, uint64_t count) {
    (void)is_tcp, (void)size, (void)count;
    return BENCH_ABSENT;
}
#endif
