/* Sensitive messages leave nothing behind: their bytes are looked for in all of the process's memory. */
#define _DEFAULT_SOURCE
#include "tests/support/frame_rig.h"
#include "tests/support/hogs.h"

#include "vault.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    NEEDLE = 24, /* bytes of the pattern that must lie in a row to be found */
    SECRETS = 20000,
    ARCHIVES = 12,
    ARCHIVE_LENGTH = 150000,
    CHUNK = 1 << 16,
    MAPPING_MAX = 256 << 20 /* larger ones are a sanitizer's shadow */
};

/* The pattern is never stored as a constant: it would be found. */
static uint8_t pattern(size_t ix) { return (uint8_t)('A' + (ix * 7 + ix / 26) % 26); }

static void write_pattern(uint8_t *to, size_t length) {
    for (size_t i = 0; i < length; i++) to[i] = pattern(i % 78);
}

static void forget(void *memory, size_t size) {
    volatile uint8_t *at = memory;
    while (size-- != 0) *at++ = 0;
}

/* ---- looking for it --------------------------------------------------------------------------------------------- */

static size_t matches_in(const uint8_t *bytes, size_t length) {
    size_t count = 0;
    for (size_t at = 0; at + NEEDLE <= length; at++) {
        size_t same = 0;
        while (same < NEEDLE && bytes[at + same] == pattern(same)) same++;
        count += same == NEEDLE;
    }
    return count;
}

static size_t matches_between(int memory, unsigned long long start, unsigned long long end) {
    static uint8_t chunk[CHUNK + NEEDLE];
    size_t count = 0;
    for (unsigned long long at = start; at < end; at += CHUNK) {
        const unsigned long long left = end - at;
        const ssize_t got = pread(memory, chunk, left < sizeof chunk ? (size_t)left : sizeof chunk, (off_t)at);
        if (got <= 0) break;
        count += matches_in(chunk, (size_t)got);
        forget(chunk, sizeof chunk);
    }
    return count;
}

/* Where the pattern lies in memory that the process may write, the stack left out. */
static size_t matches_in_process(void) {
    char line[512];
    size_t count = 0;
    FILE *maps = fopen("/proc/self/maps", "r");
    const int memory = open("/proc/self/mem", O_RDONLY);
    ck_assert(maps != NULL && memory >= 0);
    while (fgets(line, sizeof line, maps) != NULL) {
        unsigned long long start, end;
        char may[8];
        if (sscanf(line, "%llx-%llx %7s", &start, &end, may) != 3) continue;
        if (may[0] != 'r' || may[1] != 'w' || strstr(line, "[stack]") != NULL || end - start > MAPPING_MAX) continue;
        count += matches_between(memory, start, end);
    }
    fclose(maps);
    close(memory);
    return count;
}

START_TEST(the_search_finds_what_is_there) {
    uint8_t *block = malloc(1000);
    ck_assert_ptr_nonnull(block);
    ck_assert_uint_eq(matches_in_process(), 0);
    write_pattern(block + 500, NEEDLE);
    ck_assert_uint_eq(matches_in_process(), 1);
    forget(block, 1000);
    ck_assert_uint_eq(matches_in_process(), 0);
    free(block);
}
END_TEST

/* ---- traffic ---------------------------------------------------------------------------------------------------- */

typedef struct traffic {
    uint32_t sent, secrets, archives, kept;
    vault_secret secret;
    uint8_t *content;
} traffic;

static bool is_pattern(const uint8_t *bytes, size_t length) {
    for (size_t i = 0; i < length; i++) {
        if (bytes[i] != pattern(i % 78)) return false;
    }
    return true;
}

static bp_err on_secret(bp_conn *conn, const vault_secret_view *view, void *user) {
    traffic *t = user;
    const bp_text text = vault_secret_get_text(view);
    bpt_must(is_pattern((const uint8_t *)text.data, text.length));
    t->secrets++;
    if (t->secrets % 3 != 0) return BP_OK;
    BP_AUTO_BUF(kept);
    const bp_err err = bp_conn_keep(conn, &kept);
    t->kept += err == BP_OK && bp_buf_is_sensitive(kept);
    return err;
}

static bp_err on_archive(bp_conn *conn, bp_buf *buf, void *user) {
    traffic *t = user;
    (void)conn;
    bpt_must(bp_buf_is_sensitive(buf) && bp_buf_length(buf) > ARCHIVE_LENGTH);
    t->archives++;
    bp_buf_release(buf);
    return BP_OK;
}

/* As many as the queue takes: the socket is full again and again. */
static void pump(bp_conn *conn, void *user) {
    traffic *t = user;
    bp_err err = BP_OK;
    while (err == BP_OK && t->sent < SECRETS + ARCHIVES) {
        if (t->sent % (SECRETS / ARCHIVES) == 7) {
            const vault_archive archive = {.content = t->content, .content_length = ARCHIVE_LENGTH};
            err = vault_send_archive(conn, &archive);
        } else {
            t->secret.text_length = (uint16_t)(NEEDLE + t->sent % 370);
            err = vault_send_secret(conn, &t->secret);
        }
        t->sent += err == BP_OK;
    }
    ck_assert(err == BP_OK || err == BP_ERR_QUEUE_FULL);
}

static void run_traffic(bpt_rig *rig, traffic *t, int way) {
    static const vault_handlers on = {.secret = on_secret, .archive_buf = on_archive};
    bp_server_config server = vault_server_config(&on, t);
    bp_client_config client = vault_client_config(&on, t);
    const bp_server_config rig_server = bpt_rig_server_config(rig, way);
    const bp_client_config rig_client = bpt_rig_client_config(rig, 0, way);
    server.loop = rig_server.loop;
    client.loop = rig_client.loop;
    server.conn.buffer_pool_enabled = client.conn.buffer_pool_enabled = bpt_way_is_pooled(way);
    client.conn.on_open = client.conn.on_drain = pump;
    bpt_rig_listen(rig, &server, way);
    bpt_rig_connect(rig, 0, &client);
    bpt_rig_until(rig, t->secrets + t->archives == SECRETS + ARCHIVES);
    if (!bpt_way_is_pooled(way)) return;
    bp_pool_stats stats;
    bp_pool_stats_read(bp_server_pool(rig->server.server), &stats);
    ck_assert_uint_ge(stats.total.wiped, t->kept);
}

START_TEST(nothing_of_a_secret_stays_in_memory) {
    bpt_rig rig;
    static traffic t;
    t = (traffic){.content = malloc(ARCHIVE_LENGTH)};
    ck_assert_ptr_nonnull(t.content);
    write_pattern(t.content, ARCHIVE_LENGTH);
    write_pattern((uint8_t *)t.secret.text, sizeof t.secret.text - 1);
    bpt_rig_init(&rig);
    run_traffic(&rig, &t, _i);
    ck_assert(t.archives > 0 && t.kept > SECRETS / 4);
    forget(t.content, ARCHIVE_LENGTH);
    forget(&t.secret, sizeof t.secret);
    ck_assert_uint_eq(matches_in_process(), 0); /* while the ends live */
    bpt_rig_fini(&rig);
    ck_assert_uint_eq(matches_in_process(), 0);
    free(t.content);
}
END_TEST

enum { SPOKEN = 50 };

/* So many frames with the secret; returns how many bytes they are. */
static size_t write_frames(uint8_t *frames, vault_secret *secret) {
    size_t length = 0;
    secret->text_length = 200;
    for (int i = 0; i < SPOKEN; i++) {
        uint32_t one = 0;
        uint8_t *at = frames + length;
        bpt_ok(vault_secret_encode(secret, at + 6, VAULT_SECRET_MAX, &one));
        bpi_store_u16(at, VAULT_SECRET_TYPE);
        bpi_store_u32(at + 2, one);
        length += 6 + one;
    }
    return length;
}

/* The receiver gives up in the middle of what was read: the rest is wiped too. */
static bp_err refuse(bp_conn *conn, const vault_secret_view *view, void *user) {
    traffic *t = user;
    (void)conn;
    (void)view;
    return ++t->secrets == 5 ? BP_ERR_ARGUMENT : BP_OK;
}

START_TEST(nothing_stays_when_a_handler_gives_up) {
    static const vault_handlers on = {.secret = refuse};
    static traffic t;
    bpt_rig rig;
    t = (traffic){.content = NULL};
    write_pattern((uint8_t *)t.secret.text, sizeof t.secret.text - 1);
    bpt_rig_init(&rig);
    bp_server_config server = vault_server_config(&on, &t);
    server.loop = bpt_rig_server_config(&rig, _i).loop;
    bpt_rig_listen(&rig, &server, _i);
    const int raw = bpt_rig_raw(&rig);
    static uint8_t frames[SPOKEN * (6 + VAULT_SECRET_MAX)];
    const size_t length = write_frames(frames, &t.secret);
    ck_assert_int_eq(write(raw, frames, length), (ssize_t)length);
    bpt_rig_until(&rig, t.secrets == 5);
    forget(frames, sizeof frames);
    forget(&t.secret, sizeof t.secret);
    ck_assert_uint_eq(matches_in_process(), 0);
    close(raw);
    bpt_rig_fini(&rig);
}
END_TEST

static bp_err keep_each(bp_conn *conn, const vault_secret_view *view, void *user) {
    traffic *t = user;
    (void)view;
    BP_AUTO_BUF(kept);
    const bp_err err = bp_conn_keep(conn, &kept);
    t->kept += err == BP_OK;
    return err;
}

static void until_waiting(bpt_rig *rig, uint64_t count) {
    bp_server_stats stats = {0};
    bpt_rig_until(rig, (bp_server_stats_read(rig->server.server, &stats), stats.connections_waiting == count));
}

/* Two peers whose frames find no memory; what the second one sends is left in its socket. */
START_TEST(what_was_left_in_a_socket_is_nowhere_else) {
    static const vault_handlers on = {.secret = keep_each};
    static traffic t;
    static bpt_hogs hogs;
    static uint8_t frames[SPOKEN * (6 + VAULT_SECRET_MAX)];
    bpt_rig rig;
    t = (traffic){.content = NULL};
    bpt_rig_init(&rig);
    bp_server_config server = vault_server_config(&on, &t);
    server.loop = bpt_rig_server_config(&rig, _i).loop;
    server.conn.buffer_pool_enabled = bpt_way_is_pooled(_i);
    server.conn.pool_config.memory_limit = 4 << 20;
    bpt_rig_listen(&rig, &server, _i);
    const int first = bpt_rig_raw(&rig), second = bpt_rig_raw(&rig);
    bpt_hogs_fill(&hogs, bp_server_pool(rig.server.server));
    size_t length = write_frames(frames, &t.secret); /* without a word of the secret */
    ck_assert_int_eq(write(first, frames, length), (ssize_t)length);
    until_waiting(&rig, 1);
    write_pattern((uint8_t *)t.secret.text, sizeof t.secret.text - 1);
    length = write_frames(frames, &t.secret);
    ck_assert_int_eq(write(second, frames, length), (ssize_t)length);
    forget(frames, sizeof frames);
    forget(&t.secret, sizeof t.secret);
    until_waiting(&rig, 2);
    ck_assert_uint_eq(matches_in_process(), 0);
    bpt_hogs_free(&hogs);
    bpt_rig_until(&rig, t.kept == 2 * SPOKEN);
    ck_assert_uint_eq(matches_in_process(), 0);
    close(first);
    close(second);
    bpt_rig_fini(&rig);
}
END_TEST

BPT_SUITE(integration_secret) {
    BPT_TIMEOUT(120);
    BPT_TEST(the_search_finds_what_is_there);
    BPT_LOOP_TEST(nothing_of_a_secret_stays_in_memory, 0, BPT_WAYS);
    BPT_LOOP_TEST(nothing_stays_when_a_handler_gives_up, 0, BPT_WAYS);
    BPT_LOOP_TEST(what_was_left_in_a_socket_is_nowhere_else, 0, BPT_WAYS);
}
