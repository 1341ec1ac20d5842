/* raw_socket.h: the limit that transports are held against: plain sockets, frames built in a buffer and written at most
 * 60 KiB at a time, read 64 KiB at a time and parsed in place. */
#ifndef BUFPOOL_BENCH_RAW_SOCKET_H
#define BUFPOOL_BENCH_RAW_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { BENCH_HEADER = 6, BENCH_VALUE_MAX = 64 * 1024 };

/* Sends count frames of size bytes of value from one thread to another, each carrying its number, checks that all come
 * in order and returns messages per second. */
double bench_raw_socket(bool is_tcp, uint32_t size, uint64_t count);

/* Two connected sockets with the limit's buffer sizes, blocking. */
void bench_socket_pair(bool is_tcp, int fds[2]);

/* Writes message `number` of size bytes of value as a frame; returns the frame's bytes. */
size_t bench_build(uint8_t *at, uint32_t size, uint64_t number);

/* Takes the whole frames at the beginning of data, which must be *next and those after it; returns the bytes they
 * take. */
size_t bench_parse(const uint8_t *data, size_t length, uint32_t size, uint64_t *next);

#endif
