#define _GNU_SOURCE
#include "tests/support/transfer_cutter.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { TO_SERVER, TO_CLIENT };

static struct sockaddr_un unix_address(const char *path) {
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    bpt_must(strlen(path) < sizeof at.sun_path);
    memcpy(at.sun_path, path, strlen(path) + 1);
    return at;
}

void bpt_cutter_init(bpt_cutter *cutter, bpt_world *world) {
    *cutter = (bpt_cutter){.world = world, .cut_at = UINT64_MAX};
    const char *path = bpt_world_path(world, "cutter");
    const struct sockaddr_un at = unix_address(path);
    snprintf(cutter->address, sizeof cutter->address, "unix://%s", path);
    for (int i = 0; i < 2; i++) {
        cutter->ways[i].held = malloc(BPT_CUTTER_HELD);
        bpt_must(cutter->ways[i].held != NULL);
    }
    cutter->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    ck_assert_int_eq(bind(cutter->listener, (const struct sockaddr *)&at, sizeof at), 0);
    ck_assert_int_eq(listen(cutter->listener, 1), 0);
}

static void close_both(bpt_cutter *cutter) {
    if (!cutter->is_open) return;
    cutter->is_open = false;
    close(cutter->ways[TO_SERVER].from);
    close(cutter->ways[TO_SERVER].to);
}

void bpt_cutter_fini(bpt_cutter *cutter) {
    close_both(cutter);
    close(cutter->listener);
    for (int i = 0; i < 2; i++) free(cutter->ways[i].held);
}

/* Nobody may be there yet, or any more: then the client finds out in the same way. */
static int reach_server(const bpt_cutter *cutter) {
    const struct sockaddr_un at = unix_address(cutter->world->address + strlen("unix://"));
    const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (connect(fd, (const struct sockaddr *)&at, sizeof at) == 0) return fd;
    close(fd);
    return -1;
}

static void open_both(bpt_cutter *cutter) {
    const int client = accept(cutter->listener, NULL, NULL);
    if (client < 0) return;
    const int server = reach_server(cutter);
    if (server < 0) {
        close(client);
        return;
    }
    cutter->ways[TO_SERVER].from = cutter->ways[TO_CLIENT].to = client;
    cutter->ways[TO_SERVER].to = cutter->ways[TO_CLIENT].from = server;
    cutter->ways[TO_SERVER].held_count = cutter->ways[TO_CLIENT].held_count = 0;
    cutter->frames = 0;
    cutter->is_open = true;
}

static bool fill(bpt_cutter_way *way) {
    const ssize_t n = recv(way->from, way->held + way->held_count, BPT_CUTTER_HELD - way->held_count, MSG_DONTWAIT);
    if (n > 0) way->held_count += (size_t)n;
    return n > 0 || (n < 0 && errno == EAGAIN);
}

static void note(bpt_cutter *cutter, uint16_t type, const uint8_t *value, uint32_t length) {
    bpi_transfer_part_view part;
    bpi_transfer_part_done_view done;
    if (type == BPI_TRANSFER_PART_TYPE && bpi_transfer_part_view_init(value, length, &part) == BP_OK) {
        const uint64_t number = bpi_transfer_part_get_part(&part);
        cutter->parts++;
        if (number < BPT_CUTTER_PARTS) cutter->sent_again += cutter->is_done[number];
    }
    if (type == BPI_TRANSFER_PART_DONE_TYPE && bpi_transfer_part_done_view_init(value, length, &done) == BP_OK) {
        const uint64_t number = bpi_transfer_part_done_get_part(&done);
        if (number < BPT_CUTTER_PARTS) cutter->is_done[number] = true;
    }
}

static void pass(const bpt_cutter_way *way, const uint8_t *bytes, size_t count) {
    for (size_t at = 0; at < count;) {
        const ssize_t n = send(way->to, bytes + at, count - at, MSG_NOSIGNAL);
        if (n < 0) return; /* nobody is there any more */
        at += (size_t)n;
    }
}

static void cut(bpt_cutter *cutter, const bpt_cutter_way *way, size_t size) {
    if (cutter->is_half) pass(way, way->held, size / 2);
    cutter->cuts++;
    close_both(cutter);
}

/* False: there is no whole frame, or no connection any more. */
static bool pass_frame(bpt_cutter *cutter, bpt_cutter_way *way) {
    if (!cutter->is_open || way->held_count < BP_FRAME_HEADER_SIZE) return false;
    const uint16_t type = bpi_load_u16(way->held);
    const size_t size = BP_FRAME_HEADER_SIZE + (size_t)bpi_load_u32(way->held + 2);
    uint8_t *value = way->held + BP_FRAME_HEADER_SIZE;
    size_t passed = size;
    if (way->held_count < size) return false;
    if (cutter->frames++ == cutter->cut_at && (cutter->cuts == 0 || cutter->is_tireless)) {
        cut(cutter, way, size);
        return false;
    }
    if (cutter->lie != NULL) {
        const uint32_t length =
            cutter->lie(cutter, way == &cutter->ways[TO_CLIENT], type, value, (uint32_t)(size - BP_FRAME_HEADER_SIZE));
        bpt_must(length <= size - BP_FRAME_HEADER_SIZE);
        bpi_store_u32(way->held + 2, length);
        passed = BP_FRAME_HEADER_SIZE + length;
    }
    note(cutter, type, value, (uint32_t)(passed - BP_FRAME_HEADER_SIZE));
    pass(way, way->held, passed);
    way->held_count -= size;
    memmove(way->held, way->held + size, way->held_count);
    return true;
}

void bpt_cutter_turn(bpt_cutter *cutter) {
    uv_run(&cutter->world->loop, UV_RUN_NOWAIT);
    if (!cutter->is_open) open_both(cutter);
    for (int i = 0; i < 2 && cutter->is_open; i++) {
        const bool is_there = fill(&cutter->ways[i]);
        while (pass_frame(cutter, &cutter->ways[i])) {}
        if (!is_there) close_both(cutter);
    }
}
