/* raw_socket.h: the limit that transports are held against: plain sockets, frames built in a buffer and written at most
 * 60 KiB at a time, read 64 KiB at a time and parsed in place. */
#ifndef BUFPOOL_BENCH_RAW_SOCKET_H
#define BUFPOOL_BENCH_RAW_SOCKET_H

#include <stdbool.h>
#include <stdint.h>

/* Sends count frames of size bytes of value from one thread to another, each carrying its number, checks that all come
 * in order and returns messages per second. */
double bench_raw_socket(bool is_tcp, uint32_t size, uint64_t count);

#endif
