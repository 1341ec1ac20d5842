#define _POSIX_C_SOURCE 200809L
#include "tests/support/whole_run.h"

#include "codegen/command.h"
#include "codegen/table.h"
#include "tests/support/alloc_count.h"
#include "tests/support/descriptors.h"
#include "tests/support/suite.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { WORDS_MAX = 16, PATH_ROOM = 256 };

typedef struct call {
    cg_arena *arena;
    char storage[512];
    char *words[WORDS_MAX];
    int count;
    cg_status status;
} call;

/* What a folder holds: the names and bytes of its files, in any order. */
typedef struct content {
    int files;
    uint64_t hash;
} content;

static char folder[64];

void bpt_whole_set_up(void) {
    strcpy(folder, "/tmp/bufpoolc-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    ck_assert_ptr_nonnull(freopen("/dev/null", "w", stdout));
    ck_assert_ptr_nonnull(freopen("/dev/null", "w", stderr));
    /* What the C library takes once and keeps. */
    printf("%s\n", strerror(ENOMEM));
    fprintf(stderr, "%s\n", strerror(ENOMEM));
}

static void path_of(const char *name, char path[PATH_ROOM]) {
    bpt_must(snprintf(path, PATH_ROOM, "%s/%s", folder, name) < PATH_ROOM);
}

/* Calls see(path) for every file in the folder. */
static void each_file(void (*see)(const char *path, void *user), void *user) {
    char path[PATH_ROOM];
    DIR *const open = opendir(folder);
    bpt_must(open != NULL);
    for (const struct dirent *entry = readdir(open); entry != NULL; entry = readdir(open)) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        path_of(entry->d_name, path);
        see(path, user);
    }
    closedir(open);
}

static void remove_file(const char *path, void *user) {
    (void)user;
    bpt_must(remove(path) == 0);
}

void bpt_whole_tear_down(void) {
    each_file(remove_file, NULL);
    ck_assert_int_eq(rmdir(folder), 0);
}

static void add_content(const char *path, void *user) {
    static char bytes[65536];
    content *const all = user;
    uint64_t hash = cg_hash(CG_HASH_START, path, strlen(path));
    FILE *const file = fopen(path, "r");
    bpt_must(file != NULL);
    for (size_t got = 1; got != 0;) {
        got = fread(bytes, 1, sizeof bytes, file);
        hash = cg_hash(hash, bytes, got);
    }
    fclose(file);
    all->files++;
    all->hash += hash;
}

static content look(void) {
    content all = {0};
    each_file(add_content, &all);
    return all;
}

/* ---- runs ------------------------------------------------------------------------------------------------------- */

static void start_call(call *c, const char *line) {
    *c = (call){.words = {(char[]){"bufpoolc"}}, .count = 1};
    for (size_t i = 0, length = 0; line[i] != '\0'; i++) {
        const bool is_folder = line[i] == '@';
        length += (size_t)snprintf(c->storage + length, sizeof c->storage - length, is_folder ? "%s" : "%.1s",
                                   is_folder ? folder : line + i);
        bpt_must(length < sizeof c->storage);
    }
    for (char *word = strtok(c->storage, " "); word != NULL; word = strtok(NULL, " ")) c->words[c->count++] = word;
}

static void run(void *user) {
    call *const c = user;
    c->status = cg_run(c->arena, c->count, c->words);
}

/* As main runs it. False: without memory. */
static bool run_call(call *c, long pieces) {
    c->arena = cg_arena_new();
    if (c->arena == NULL) return false;
    cg_arena_fail_after(c->arena, pieces);
    const bool is_done = cg_arena_attempt(c->arena, run, c);
    cg_arena_free_take(&c->arena);
    return is_done;
}

void bpt_whole_run_before(const char *line) {
    call c;
    start_call(&c, line);
    if (!run_call(&c, -1) || c.status != CG_OK) ck_abort_msg("%s", line);
}

void bpt_whole_write(const char *name, const void *bytes, size_t length) {
    char path[PATH_ROOM];
    path_of(name, path);
    FILE *const file = fopen(path, "w");
    bpt_must(file != NULL);
    bpt_must(fwrite(bytes, 1, length, file) == length);
    bpt_must(fclose(file) == 0);
}

/* The folder as it is before a run. */
static content prepare(const bpt_whole_run *run) {
    each_file(remove_file, NULL);
    if (run->prepare != NULL) run->prepare();
    return look();
}

static void expect_content(const bpt_whole_run *run, content expected, long at) {
    const content now = look();
    if (now.files == expected.files && now.hash == expected.hash) return;
    ck_abort_msg("%s: the folder is not as it was after allocation %ld failed", run->line, at);
}

/* Every one of the first, then ever wider apart: the late ones of long runs are much alike. */
static long next_failure(long at) { return at + 1 + (at > (long)bpt_scaled(3000) ? at / 60 : 0); }

/* Runs with so many pieces of the arena. False: they were too few, and the folder is as it was. */
static bool try_pieces(const bpt_whole_run *run, content before, long count) {
    call c;
    start_call(&c, run->line);
    const bool is_done = run_call(&c, count);
    if (!is_done) expect_content(run, before, count);
    if (is_done && c.status != run->status) ck_abort_msg("%s: %d", run->line, (int)c.status);
    return is_done;
}

/* Fewer pieces than a run takes. Returns what there is after one that had all. */
static content check_pieces(const bpt_whole_run *run, content before) {
    enum { LAST = 200 /* where files are written: every one */ };
    long few = 0, enough = 0;
    while (!try_pieces(run, before, enough)) {
        few = enough;
        enough = next_failure(enough);
    }
    const content after = look();
    while (enough - few > 1) {
        const long middle = few + (enough - few) / 2;
        (void)prepare(run);
        *(try_pieces(run, before, middle) ? &enough : &few) = middle;
    }
    (void)prepare(run);
    for (long count = few > LAST ? few - LAST : 0; count < enough; count++) {
        bpt_must(!try_pieces(run, before, count));
    }
    return after;
}

/* Memory that malloc has not, for the arena's blocks, for libyaml and for the C library: a run fails, or it can do
 * without. */
static void check_malloc(const bpt_whole_run *run, content before, content after) {
    bpt_alloc_seen seen = {.has_failed = true};
    for (long at = 0; seen.has_failed; at = next_failure(at)) {
        call c;
        start_call(&c, run->line);
        bpt_alloc_watch(at);
        const bool is_done = run_call(&c, -1) && c.status != CG_FAILED;
        seen = bpt_alloc_unwatch();
        const bool is_right = is_done ? c.status == run->status : seen.has_failed || run->status == CG_FAILED;
        if (!is_right) ck_abort_msg("%s: %d, without allocation %ld", run->line, (int)c.status, at);
        if (seen.held != 0) ck_abort_msg("%s: %d lost after allocation %ld", run->line, (int)seen.held, at);
        expect_content(run, is_done ? after : before, at);
        if (is_done) (void)prepare(run);
    }
}

void bpt_whole_run_check(const bpt_whole_run *run) {
    const int descriptors = bpt_descriptor_count();
    const content before = prepare(run);
    const content after = check_pieces(run, before);
    ck_assert_msg(after.files == before.files + run->added, "%s: %d files", run->line, after.files);
    check_malloc(run, before, after);
    ck_assert_int_eq(bpt_descriptor_count(), descriptors);
}
