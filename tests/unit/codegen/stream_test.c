/* Bytes from a pipe, in whatever pieces they come. */
#define _POSIX_C_SOURCE 200809L
#include "codegen/stream.h"
#include "tests/support/suite.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { MANY = 1000000 };

static cg_arena *arena;
static char path[64];

/* A file of count bytes that say where they are. */
static cg_stream *stream_of(size_t count) {
    FILE *file;
    strcpy(path, "/tmp/bufpoolc-stream-XXXXXX");
    const int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    file = fdopen(fd, "wb");
    for (size_t i = 0; i < count; i++) putc((int)(i * 7 % 251), file);
    ck_assert_int_eq(fclose(file), 0);
    arena = cg_arena_new();
    cg_stream *const stream = cg_stream_open(arena, path);
    ck_assert_ptr_nonnull(stream);
    return stream;
}

static void done(void) {
    ck_assert_int_eq(unlink(path), 0);
    cg_arena_free_take(&arena);
}

static void check_bytes(cg_stream *stream, size_t count) {
    size_t available = 0;
    const uint64_t offset = cg_stream_offset(stream);
    const uint8_t *const bytes = cg_stream_peek(stream, count, &available);
    ck_assert_uint_eq(available, count);
    for (size_t i = 0; i < count; i++) bpt_must(bytes[i] == (offset + i) * 7 % 251);
}

START_TEST(bytes_are_seen_until_they_are_passed_over) {
    cg_stream *const stream = stream_of(MANY);
    static const size_t sizes[] = {1, 6, 0, 40000, 100000, 3, 300000, 127, 400000};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        check_bytes(stream, sizes[i]);
        check_bytes(stream, sizes[i]);
        ck_assert_uint_eq(cg_stream_skip(stream, sizes[i]), sizes[i]);
    }
    ck_assert_int_eq(cg_stream_status(stream), CG_OK);
    done();
}
END_TEST

START_TEST(the_end_gives_what_is_left) {
    size_t available = 1;
    cg_stream *const stream = stream_of(1000);
    (void)cg_stream_peek(stream, 1001, &available);
    ck_assert_uint_eq(available, 1000);
    ck_assert_uint_eq(cg_stream_skip(stream, 999), 999);
    ck_assert_uint_eq(cg_stream_skip(stream, UINT64_C(1) << 40), 1);
    ck_assert_uint_eq(cg_stream_offset(stream), 1000);
    (void)cg_stream_peek(stream, 1, &available);
    ck_assert_uint_eq(available, 0);
    ck_assert_int_eq(cg_stream_status(stream), CG_OK);
    done();
}
END_TEST

/* What was announced and does not come takes no memory: an arena that may not allocate any more would be left. */
static void announce(void *user) {
    size_t available = 0;
    cg_arena_fail_after(arena, 0);
    (void)cg_stream_peek(user, SIZE_MAX / 4, &available);
    ck_assert_uint_eq(available, 1000);
    ck_assert_uint_eq(cg_stream_skip(user, UINT64_MAX), 1000);
}

START_TEST(memory_grows_with_what_came) {
    cg_stream *const stream = stream_of(1000);
    ck_assert(cg_arena_attempt(arena, announce, stream));
    done();
}
END_TEST

START_TEST(what_cannot_be_opened_or_read_is_said) {
    size_t available = 1;
    arena = cg_arena_new();
    ck_assert_ptr_null(cg_stream_open(arena, "/nonexistent/frames"));
    cg_stream *const folder = cg_stream_open(arena, "/tmp");
    ck_assert_ptr_nonnull(folder);
    (void)cg_stream_peek(folder, 1, &available);
    ck_assert_uint_eq(available, 0);
    ck_assert_int_eq(cg_stream_status(folder), CG_FAILED);
    cg_arena_free_take(&arena);
}
END_TEST

static void count_waits(void *user) { ++*(int *)user; }

START_TEST(waits_are_announced) {
    int waits = 0;
    size_t available = 0;
    cg_stream *const stream = stream_of(10);
    cg_stream_on_wait(stream, count_waits, &waits);
    (void)cg_stream_peek(stream, 10, &available);
    ck_assert_int_eq(waits, 1);
    (void)cg_stream_peek(stream, 5, &available);
    ck_assert_int_eq(waits, 1);
    (void)cg_stream_peek(stream, 11, &available);
    ck_assert_int_eq(waits, 2);
    done();
}
END_TEST

BPT_SUITE(codegen_stream) {
    BPT_TEST(bytes_are_seen_until_they_are_passed_over);
    BPT_TEST(the_end_gives_what_is_left);
    BPT_TEST(memory_grows_with_what_came);
    BPT_TEST(what_cannot_be_opened_or_read_is_said);
    BPT_TEST(waits_are_announced);
}
