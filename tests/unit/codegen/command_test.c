#define _POSIX_C_SOURCE 200809L
/* Whole runs of bufpoolc inside the test: every allocation is made to fail once. The sanitizers see leaks. */
#include "codegen/command.h"
#include "tests/support/suite.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { WORDS_MAX = 16 };

typedef struct call {
    cg_arena *arena;
    char storage[512];
    char *words[WORDS_MAX];
    int count;
    cg_status status;
} call;

static char directory[64];

static void make_directory(void) {
    strcpy(directory, "/tmp/bufpoolc-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(directory));
    /* What the runs print is looked at elsewhere. */
    ck_assert_ptr_nonnull(freopen("/dev/null", "w", stdout));
    ck_assert_ptr_nonnull(freopen("/dev/null", "w", stderr));
}

static void remove_directory(void) {
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", directory);
    ck_assert_int_eq(system(command), 0);
}

static int entry_count(void) {
    DIR *open = opendir(directory);
    ck_assert_ptr_nonnull(open);
    int count = -2;
    while (readdir(open) != NULL) count++;
    closedir(open);
    return count;
}

/* A command line of words with one space between them; @ is the directory. */
static void start_call(call *c, const char *line) {
    *c = (call){.arena = cg_arena_new(), .words = {(char[]){"bufpoolc"}}, .count = 1};
    ck_assert_ptr_nonnull(c->arena);
    for (size_t i = 0, length = 0; line[i] != '\0'; i++) {
        const bool is_directory = line[i] == '@';
        length += (size_t)snprintf(c->storage + length, sizeof c->storage - length, is_directory ? "%s" : "%.1s",
                                   is_directory ? directory : line + i);
    }
    for (char *word = strtok(c->storage, " "); word != NULL; word = strtok(NULL, " ")) c->words[c->count++] = word;
}

static void run(void *user) {
    call *c = user;
    c->status = cg_run(c->arena, c->count, c->words);
}

static const struct {
    const char *line; /* @ is the directory */
    cg_status status;
    int files; /* in the directory afterwards */
} cases[] = {
    {"generate contracts.yaml --out-dir @ --with tests,fuzz,reference -MD", CG_OK, 10},
    {"generate contracts.yaml -o @/sizes.h --only sizes -MD -MF @/sizes.d", CG_OK, 2},
    {"generate contracts.yaml --only sizes -o -", CG_OK, 0},
    {"generate contracts.yaml --out-dir generated --check", CG_OK, 0},
    {"generate tests/bad/many-mistakes.yaml --out-dir @", CG_WRONG, 0},
    {"check tests/contracts/zoo.yaml", CG_OK, 0},
    {"check tests/bad/many-mistakes.yaml --format json", CG_WRONG, 0},
    {"check contracts.yaml --prefix 9x --color always", CG_WRONG, 0},
    {"report contracts.yaml", CG_OK, 0},
    {"report contracts.yaml OrderBook --format json", CG_OK, 0},
    {"report contracts.yaml OrderBok", CG_USAGE, 0},
    {"schema", CG_OK, 0},
    {"schema --format markdown", CG_OK, 0},
    {"explain", CG_OK, 0},
    {"explain e402", CG_OK, 0},
    {"explain E9999", CG_USAGE, 0},
    {"generate --help", CG_OK, 0},
    {"genrate contracts.yaml", CG_USAGE, 0},
};

START_TEST(every_allocation_of_a_run_may_fail_and_leaves_nothing) {
    bool is_done = false;
    for (long fail_at = 0, step = 1; !is_done; fail_at += step) {
        call c;
        start_call(&c, cases[_i].line);
        cg_arena_fail_after(c.arena, fail_at);
        is_done = cg_arena_attempt(c.arena, run, &c);
        cg_arena_free_take(&c.arena);
        if (!is_done) ck_assert_msg(entry_count() == 0, "%s: a file is left of a run without memory", cases[_i].line);
        /* Every one of the first, then ever wider apart: the late ones are much alike. */
        if (fail_at > 300) step = 1 + fail_at / 60;
        if (is_done) ck_assert_msg(c.status == cases[_i].status, "%s: %d", cases[_i].line, (int)c.status);
    }
    ck_assert_msg(entry_count() == cases[_i].files, "%s: %d files", cases[_i].line, entry_count());
}
END_TEST

/* The last allocations, where files are being written: every one of them. */
START_TEST(nothing_is_written_before_the_last_allocation) {
    long least = 0, most = 1L << 24; /* fails with least allocations, works with most */
    call c;
    while (most - least > 1) {
        const long middle = least + (most - least) / 2;
        start_call(&c, cases[0].line);
        cg_arena_fail_after(c.arena, middle);
        const bool is_done = cg_arena_attempt(c.arena, run, &c);
        cg_arena_free_take(&c.arena);
        *(is_done ? &most : &least) = middle;
        remove_directory();
        ck_assert_int_eq(mkdir(directory, 0700), 0);
    }
    for (long fail_at = least > 200 ? least - 200 : 0; fail_at <= least; fail_at++) {
        start_call(&c, cases[0].line);
        cg_arena_fail_after(c.arena, fail_at);
        ck_assert(!cg_arena_attempt(c.arena, run, &c));
        cg_arena_free_take(&c.arena);
        ck_assert_int_eq(entry_count(), 0);
    }
}
END_TEST

BPT_SUITE(codegen_command) {
    BPT_TIMEOUT(300);
    tcase_add_checked_fixture(tcase, make_directory, remove_directory);
    BPT_LOOP_TEST(every_allocation_of_a_run_may_fail_and_leaves_nothing, 0, sizeof cases / sizeof cases[0]);
    BPT_TEST(nothing_is_written_before_the_last_allocation);
}
