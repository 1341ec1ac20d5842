/* The README's program, as it stands there, in a process of its own: it acknowledges books, to the client that lies
 * beside it as well, and ends on SIGTERM. */
#define _POSIX_C_SOURCE 200809L
#include "generated/market.h"
#include "tests/support/suite.h"

#include <libgen.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PORT = 7000, BOOKS = 100, CONNECT_TRIES = 2000 };

/* The programs lie beside the tests. */
static pid_t start(const char *program, const char *argument) {
    char self[4096], path[4200];
    const ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    ck_assert_int_gt(length, 0);
    self[length] = '\0';
    snprintf(path, sizeof path, "%s/%s", dirname(self), program);
    const pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        execl(path, path, argument, (char *)NULL);
        _exit(127);
    }
    return child;
}

/* The program's port is written into it, so that one copy of this test runs at a time on a machine: whoever has this
 * name, which the kernel takes back with the process. Without it a copy would talk to the server that another one
 * ends. */
static int wait_for_turn(void) {
    static const char name[] = "bufpool-test-of-book-server";
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    memcpy(at.sun_path + 1, name, sizeof name - 1);
    const socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + sizeof name);
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_ge(fd, 0);
    while (bind(fd, (const struct sockaddr *)&at, size) != 0) (void)poll(NULL, 0, 20);
    return fd;
}

/* A socket connected to the server; it is given the time that a process needs to start. */
static int connect_when_up(pid_t server) {
    const struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(PORT), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    for (int i = 0; i < CONNECT_TRIES; i++) {
        const int fd = socket(AF_INET, SOCK_STREAM, 0);
        ck_assert_int_ge(fd, 0);
        if (connect(fd, (const struct sockaddr *)&address, sizeof address) == 0) return fd;
        close(fd);
        ck_assert_msg(waitpid(server, NULL, WNOHANG) == 0, "book-server ended; is port %d in use?", PORT);
        (void)poll(NULL, 0, 5);
    }
    ck_abort_msg("book-server does not listen on port %d", PORT);
    return -1;
}

static void exchange(int fd, bp_pool *pool, const bp_type_map *types, uint64_t sequence) {
    static market_order_book book = MARKET_ORDER_BOOK_INIT;
    market_book_ack ack;
    bp_buf *buf = NULL;
    book.instrument_id = 1;
    book.sequence = sequence;
    book.bids_count = 1;
    book.bids[0].price = 100;
    bpt_ok(market_order_book_pack(pool, &book, &buf));
    bpt_ok(bp_frame_write(fd, buf));
    bp_buf_release_take(&buf);
    bpt_ok(bp_frame_read(fd, pool, types, &buf));
    ck_assert_uint_eq(bp_buf_type(buf), MARKET_BOOK_ACK_TYPE);
    bpt_ok(market_book_ack_decode(bp_buf_data(buf), bp_buf_length(buf), &ack));
    ck_assert_uint_eq(ack.sequence, sequence);
    bp_buf_release_take(&buf);
}

START_TEST(books_are_acknowledged_in_order_and_sigterm_ends_it) {
    int status = -1;
    bp_pool *pool = NULL;
    bp_type_map *types = NULL;
    const bp_schema *const schema = &market_schema;
    const int turn = wait_for_turn();
    const pid_t server = start("book-server", NULL);
    const int fd = connect_when_up(server);
    bpt_ok(bp_pool_new(&market_pool_config, &pool));
    bpt_ok(bp_type_map_new(&schema, 1, &types));
    for (uint64_t i = 1; i <= BOOKS; i++) exchange(fd, pool, types, i);
    close(fd);
    const pid_t client = start("book-client", "20000");
    ck_assert_int_eq(waitpid(client, &status, 0), client);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0); /* all of them, in order */
    ck_assert_int_eq(kill(server, SIGTERM), 0);
    ck_assert_int_eq(waitpid(server, &status, 0), server);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    close(turn);
    bp_type_map_free_take(&types);
    bp_pool_release_take(&pool);
}
END_TEST

BPT_SUITE(integration_book_server) {
    BPT_TIMEOUT(240);
    BPT_TEST(books_are_acknowledged_in_order_and_sigterm_ends_it);
}
