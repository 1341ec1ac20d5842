/* stream_peers.h: the same work as bench_raw_socket, done by other projects: count messages of size bytes of value from
 * one thread to another, each with its number, checked on arrival. They answer messages per second; BENCH_ABSENT where
 * the project is not there. */
#ifndef BUFPOOL_BENCH_STREAM_PEERS_H
#define BUFPOOL_BENCH_STREAM_PEERS_H

#include <stdbool.h>
#include <stdint.h>

typedef double bench_stream(bool is_tcp, uint32_t size, uint64_t count);

bench_stream bench_naive_libuv; /* uv_write and malloc for each message, malloc for each read */
bench_stream bench_libevent;    /* bufferevent_write, evbuffer_pullup */
bench_stream bench_zeromq;      /* zmq_send and zmq_recv, push and pull */
bench_stream bench_nng;         /* nng_send and nng_recv, pair0 */

#endif
