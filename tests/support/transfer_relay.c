#define _GNU_SOURCE
#include "tests/support/transfer_relay.h"

#include "bufpool/detail/bytes.h"
#include "bufpool/frame.h"
#include "tests/support/suite.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* ---- addresses ---- */

typedef union place {
    struct sockaddr any;
    struct sockaddr_in in;
    struct sockaddr_un un;
} place;

static socklen_t size_of(const place *at) { return at->any.sa_family == AF_UNIX ? sizeof at->un : sizeof at->in; }

static place unix_place(const char *path) {
    place at = {.un = {.sun_family = AF_UNIX}};
    bpt_must(strlen(path) < sizeof at.un.sun_path);
    memcpy(at.un.sun_path, path, strlen(path) + 1);
    return at;
}

static place tcp_place(uint16_t port) {
    return (place){
        .in = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)}};
}

static place place_of(const char *address) {
    if (strncmp(address, "unix://", 7) == 0) return unix_place(address + 7);
    return tcp_place((uint16_t)strtoul(strrchr(address, ':') + 1, NULL, 10));
}

static int new_socket(const place *at) {
    const int fd = socket(at->any.sa_family, SOCK_STREAM, 0);
    bpt_must(fd >= 0);
    return fd;
}

/* A frame that is cut in two must not wait for an answer to its first half. */
static void ready(int fd) {
    const int yes = 1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    bpt_must(fcntl(fd, F_SETFL, O_NONBLOCK) == 0);
}

/* ---- connections ---- */

void bpt_relay_init(bpt_relay *relay, const char *path) {
    place at = path == NULL ? tcp_place(0) : unix_place(path);
    socklen_t size = size_of(&at);
    relay->is_open = false;
    relay->on_frame = NULL;
    relay->ways[BPT_TO_SERVER].limit = relay->ways[BPT_TO_CLIENT].limit = UINT64_MAX;
    relay->listener = new_socket(&at);
    bpt_must(bind(relay->listener, &at.any, size) == 0 && listen(relay->listener, 4) == 0);
    bpt_must(getsockname(relay->listener, &at.any, &size) == 0);
    if (path == NULL)
        snprintf(relay->address, sizeof relay->address, "tcp://127.0.0.1:%d", ntohs(at.in.sin_port));
    else
        snprintf(relay->address, sizeof relay->address, "unix://%s", path);
}

void bpt_relay_forget(const bpt_relay *relay) {
    close(relay->listener);
    if (!relay->is_open) return;
    close(relay->ways[BPT_TO_SERVER].from);
    close(relay->ways[BPT_TO_CLIENT].from);
}

static void begin_way(bpt_relay_way *way, int from, int to) {
    way->from = from;
    way->to = to;
    way->chunk_count = way->chunk_at = way->frame_count = 0;
    way->passed = 0;
}

static void open_both(bpt_relay *relay, const char *address) {
    const place at = place_of(address);
    const int client = accept(relay->listener, NULL, NULL), server = new_socket(&at);
    bpt_must(client >= 0 && connect(server, &at.any, size_of(&at)) == 0);
    ready(client);
    ready(server);
    begin_way(&relay->ways[BPT_TO_SERVER], client, server);
    begin_way(&relay->ways[BPT_TO_CLIENT], server, client);
    relay->is_open = true;
}

static void close_both(bpt_relay *relay) {
    if (!relay->is_open) return;
    relay->is_open = false;
    close(relay->ways[BPT_TO_SERVER].from);
    close(relay->ways[BPT_TO_CLIENT].from);
}

void bpt_relay_fini(bpt_relay *relay) {
    close_both(relay);
    close(relay->listener);
}

/* ---- frames ---- */

/* How many bytes the frame that has begun still needs, as far as it says. */
static size_t missing(const bpt_relay_way *way) {
    if (way->frame_count < BP_FRAME_HEADER_SIZE) return BP_FRAME_HEADER_SIZE - way->frame_count;
    return BP_FRAME_HEADER_SIZE + (size_t)bpi_load_u32(way->frame + 2) - way->frame_count;
}

static void show(bpt_relay *relay, bpt_direction to) {
    bpt_relay_way *way = &relay->ways[to];
    const uint32_t length = (uint32_t)(way->frame_count - BP_FRAME_HEADER_SIZE);
    way->frame_count = 0;
    relay->on_frame(to, bpi_load_u16(way->frame), way->frame + BP_FRAME_HEADER_SIZE, length);
}

static void gather(bpt_relay *relay, bpt_direction to, const uint8_t *bytes, size_t count) {
    bpt_relay_way *way = &relay->ways[to];
    while (count != 0) {
        const size_t need = missing(way), some = need < count ? need : count;
        bpt_must(way->frame_count + some <= sizeof way->frame);
        memcpy(way->frame + way->frame_count, bytes, some);
        way->frame_count += some;
        bytes += some;
        count -= some;
        if (way->frame_count >= BP_FRAME_HEADER_SIZE && missing(way) == 0) show(relay, to);
    }
}

/* ---- bytes ---- */

static bool is_pending(const bpt_relay_way *way) { return way->chunk_at != way->chunk_count; }

/* False: there will be nothing more. */
static bool fill(bpt_relay *relay, bpt_direction to) {
    bpt_relay_way *way = &relay->ways[to];
    const uint64_t left = way->limit - way->passed;
    const ssize_t n = recv(way->from, way->chunk, left < sizeof way->chunk ? left : sizeof way->chunk, 0);
    if (n < 0) return errno == EAGAIN;
    if (n == 0) return left == 0;
    way->chunk_at = 0;
    way->chunk_count = (size_t)n;
    gather(relay, to, way->chunk, way->chunk_count);
    return true;
}

/* Who is dead takes everything. */
static void drain(bpt_relay_way *way) {
    const size_t count = way->chunk_count - way->chunk_at;
    const ssize_t n = count == 0 ? 0 : send(way->to, way->chunk + way->chunk_at, count, MSG_NOSIGNAL);
    if (n < 0 && errno == EAGAIN) return;
    const size_t gone = n < 0 ? count : (size_t)n;
    way->chunk_at += gone;
    way->passed += gone;
}

/* False: its end came. */
static bool pass(bpt_relay *relay, bpt_direction to) {
    bpt_relay_way *way = &relay->ways[to];
    if (!is_pending(way) && !fill(relay, to)) return false;
    drain(way);
    return true;
}

static short events_of(const bpt_relay_way *out, const bpt_relay_way *in) {
    return (short)((is_pending(in) ? POLLOUT : 0) | (is_pending(out) ? 0 : POLLIN));
}

void bpt_relay_turn(bpt_relay *relay, const char *server, int also) {
    const bpt_relay_way *up = &relay->ways[BPT_TO_SERVER], *down = &relay->ways[BPT_TO_CLIENT];
    struct pollfd fds[3] = {{.fd = also, .events = POLLIN}, {.fd = relay->listener, .events = POLLIN}};
    if (relay->is_open) {
        fds[1] = (struct pollfd){.fd = up->from, .events = events_of(up, down)};
        fds[2] = (struct pollfd){.fd = down->from, .events = events_of(down, up)};
    }
    bpt_must(poll(fds, relay->is_open ? 3 : 2, -1) > 0);
    if (!relay->is_open) {
        if (fds[1].revents != 0) open_both(relay, server);
        return;
    }
    if (!pass(relay, BPT_TO_SERVER))
        bpt_relay_lose_client(relay);
    else if (!pass(relay, BPT_TO_CLIENT))
        ck_abort_msg("the server hung up");
}

bool bpt_relay_is_at_limit(const bpt_relay *relay, bpt_direction to) {
    return relay->is_open && relay->ways[to].passed == relay->ways[to].limit;
}

bool bpt_relay_is_idle(const bpt_relay *relay) {
    return !is_pending(&relay->ways[BPT_TO_SERVER]) && !is_pending(&relay->ways[BPT_TO_CLIENT]);
}

/* ---- ends ---- */

static void read_rest(bpt_relay *relay) {
    bpt_relay_way *way = &relay->ways[BPT_TO_CLIENT];
    struct pollfd from = {.fd = way->from, .events = POLLIN};
    way->limit = UINT64_MAX;
    while (fill(relay, BPT_TO_CLIENT)) bpt_must(poll(&from, 1, -1) == 1);
}

void bpt_relay_lose_client(bpt_relay *relay) {
    if (!relay->is_open) return;
    (void)shutdown(relay->ways[BPT_TO_SERVER].to, SHUT_WR);
    read_rest(relay);
    close_both(relay);
}

void bpt_relay_lose_server(bpt_relay *relay) {
    if (!relay->is_open) return;
    read_rest(relay);
    close_both(relay);
}
