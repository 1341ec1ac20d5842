#define _GNU_SOURCE
/* One frame at a time over a blocking descriptor. This file does without libuv, and so do programs that use no other of
 * this room. */
#include "frame/frame_internal.h"
#include "transport/transport_internal.h"

#include <errno.h>
#include <sys/uio.h>
#include <unistd.h>

/* Reads count bytes; what a stream that ends before the first of them is, the caller says. */
static bp_err read_all(int fd, uint8_t *to, size_t count, bp_err at_end) {
    size_t got = 0;
    while (got < count) {
        const ssize_t n = read(fd, to + got, count - got);
        if (n > 0)
            got += (size_t)n;
        else if (n == 0)
            return got == 0 ? at_end : BP_ERR_LOST;
        else if (errno == ECONNRESET)
            return BP_ERR_LOST;
        else if (errno != EINTR)
            return BP_ERR_SYSTEM;
    }
    return BP_OK;
}

static bp_err skip(int fd, uint32_t count) {
    uint8_t scrap[4096];
    bp_err err = BP_OK;
    while (err == BP_OK && count != 0) {
        const uint32_t part = count < sizeof scrap ? count : (uint32_t)sizeof scrap;
        err = read_all(fd, scrap, part, BP_ERR_LOST);
        count -= part;
    }
    return err;
}

static bp_err read_value(int fd, bp_pool *pool, uint16_t type, uint32_t length, bool is_sensitive, bp_buf **out) {
    bp_err err = bp_pool_acquire(pool, length == 0 ? 1 : length, out);
    if (err != BP_OK) return err;
    if (is_sensitive) bp_buf_set_sensitive(*out);
    err = read_all(fd, bp_buf_data(*out), length, BP_ERR_LOST);
    if (err != BP_OK) {
        bp_buf_release_take(out);
        return err;
    }
    bp_buf_set_length(*out, length);
    bp_buf_set_type(*out, type);
    return BP_OK;
}

bp_err bp_frame_read(int fd, bp_pool *pool, const bp_type_map *types, bp_buf **out) {
    *out = NULL;
    for (;;) {
        uint8_t head[BP_FRAME_HEADER_SIZE];
        bp_err err = read_all(fd, head, sizeof head, BP_ERR_END);
        if (err != BP_OK) return err;
        const uint16_t type = bpi_load_u16(head);
        const uint32_t length = bpi_load_u32(head + 2);
        const bpi_type_entry *entry = bpi_type_map_entry(types, type);
        const bool is_control = type == 0;
        if (is_control)
            err = length <= BPI_CONTROL_MAX ? BP_OK : BP_ERR_FRAME_LONG;
        else
            err = bpi_head_verify(entry, length, BPI_UNKNOWN_MAX_DEFAULT);
        if (err != BP_OK) return err;
        if (!is_control && !bpi_head_is_skipped(entry)) {
            return read_value(fd, pool, type, length, bpi_type_is_sensitive(entry), out);
        }
        err = skip(fd, length);
        if (err != BP_OK) return err;
    }
}

/* A peer that is gone must not be a signal; only sockets have a flag for that. */
static ssize_t write_some(int fd, struct iovec *pieces, size_t count) {
    const struct msghdr message = {.msg_iov = pieces, .msg_iovlen = count};
    const ssize_t n = sendmsg(fd, &message, MSG_NOSIGNAL);
    return n < 0 && errno == ENOTSOCK ? writev(fd, pieces, (int)count) : n;
}

bp_err bp_frame_write(int fd, const bp_buf *buf) {
    uint8_t head[BP_FRAME_HEADER_SIZE];
    struct iovec pieces[2] = {{head, sizeof head}, {bp_buf_data(buf), bp_buf_length(buf)}};
    if (bp_buf_type(buf) == 0) return BP_ERR_ARGUMENT;
    bpi_store_u16(head, bp_buf_type(buf));
    bpi_store_u32(head + 2, bp_buf_length(buf));
    for (size_t i = 0; i < 2;) {
        const ssize_t n = write_some(fd, pieces + i, 2 - i);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return errno == EPIPE || errno == ECONNRESET ? BP_ERR_LOST : BP_ERR_SYSTEM;
        size_t left = (size_t)n;
        for (; i < 2 && left >= pieces[i].iov_len; i++) left -= pieces[i].iov_len;
        if (i < 2) {
            pieces[i].iov_base = (uint8_t *)pieces[i].iov_base + left;
            pieces[i].iov_len -= left;
        }
    }
    return BP_OK;
}
