/* The compiler as a process: exit codes, where messages go, and that a failed run leaves every output as it was. */
#define _POSIX_C_SOURCE 200809L
#include "tests/support/bufpoolc_place.h"
#include "tests/support/suite.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct snapshot {
    char text[65536];
    struct timespec changed;
    ino_t inode;
} snapshot;

static void take_snapshot(const bpt_place *p, const char *name, snapshot *out) {
    char path[256];
    struct stat status;
    ck_assert_int_eq(stat(bpt_place_path(p, name, path), &status), 0);
    out->changed = status.st_mtim;
    out->inode = status.st_ino;
    bpt_place_read(p, name, out->text, sizeof out->text);
}

static void check_untouched(const bpt_place *p, const char *name, const snapshot *before) {
    static snapshot now;
    take_snapshot(p, name, &now);
    ck_assert_str_eq(now.text, before->text);
    ck_assert_uint_eq(now.inode, before->inode);
    ck_assert_int_eq(now.changed.tv_sec, before->changed.tv_sec);
    ck_assert_int_eq(now.changed.tv_nsec, before->changed.tv_nsec);
}

static const struct {
    const char *text;  /* put in place of the message Ping */
    const char *place; /* where the error must be said to be */
    const char *says;
} broken[] = {
    {"  Ping: {tlv_type: 1000, fields: {number: u46}}\n", "contract.yaml:3:43: error", "unknown type 'u46'"},
    {"  Ping: {tlv_type: 1000, fields: {a: u8}}\n  Pong: {tlv_type: 1000, fields: {a: u8}}\n",
     "contract.yaml:4:20: error", "share tlv_type 1000"},
    {"  Ping: {tlv_type: 1000, fields: {text: {type: String}}}\n", "contract.yaml:3:48: error", "needs a bound"},
    {"  Ping: {tlv_type: 1000, feilds: {a: u8}}\n", "contract.yaml:3:26: error", "unknown key 'feilds'"},
};

START_TEST(broken_contract_is_refused_with_place_and_caret_and_nothing_is_touched) {
    static snapshot before, before_sizes;
    char text[1024], err[8192];
    const bpt_place p = bpt_place_make();
    take_snapshot(&p, "generated/tiny_messages.h", &before);
    take_snapshot(&p, "generated/tiny_sizes.h", &before_sizes);
    snprintf(text, sizeof text, "schema: {name: tiny, id: 1, version: 1, min_compatible: 1}\nmessages:\n%s",
             broken[_i].text);
    bpt_place_write(&p, "contract.yaml", text);
    ck_assert_int_eq(bpt_place_run(&p, "generate contract.yaml --out-dir generated"), 1);
    bpt_place_read(&p, "err", err, sizeof err);
    ck_assert_msg(strstr(err, broken[_i].place) != NULL, "%s not in:\n%s", broken[_i].place, err);
    ck_assert_msg(strstr(err, broken[_i].says) != NULL, "%s not in:\n%s", broken[_i].says, err);
    ck_assert_msg(strchr(err, '^') != NULL, "no caret in:\n%s", err);
    check_untouched(&p, "generated/tiny_messages.h", &before);
    check_untouched(&p, "generated/tiny_sizes.h", &before_sizes);
    bpt_place_remove(&p);
}
END_TEST

START_TEST(unchanged_contract_touches_nothing) {
    static snapshot before;
    const bpt_place p = bpt_place_make();
    take_snapshot(&p, "generated/tiny_messages.h", &before);
    ck_assert_int_eq(bpt_place_run(&p, "generate contract.yaml --out-dir generated"), 0);
    check_untouched(&p, "generated/tiny_messages.h", &before);
    bpt_place_remove(&p);
}
END_TEST

START_TEST(check_tells_fresh_from_stale_and_writes_nothing) {
    static snapshot before;
    char err[8192];
    const bpt_place p = bpt_place_make();
    ck_assert_int_eq(bpt_place_run(&p, "generate contract.yaml --out-dir generated --check"), 0);
    bpt_place_write(&p, "contract.yaml",
                    "schema: {name: tiny, id: 1, version: 1, min_compatible: 1}\n"
                    "messages:\n  Ping: {tlv_type: 1000, fields: {number: u32}}\n");
    take_snapshot(&p, "generated/tiny_messages.h", &before);
    ck_assert_int_eq(bpt_place_run(&p, "generate contract.yaml --out-dir generated --check"), 1);
    bpt_place_read(&p, "err", err, sizeof err);
    ck_assert_msg(strstr(err, "generated/tiny_") != NULL, "no stale file named in:\n%s", err);
    check_untouched(&p, "generated/tiny_messages.h", &before);
    bpt_place_remove(&p);
}
END_TEST

static const struct {
    const char *arguments;
    int exit_code;
} calls[] = {
    {"--version", 0},
    {"--help", 0},
    {"check contract.yaml", 0},
    {"report contract.yaml", 0},
    {"generate", 2},
    {"no-such-command contract.yaml", 2},
    {"check --no-such-option contract.yaml", 2},
    {"check no-such-file.yaml", 3},
    {"decode - <contract.yaml", 2},
    {"decode - - <contract.yaml", 2},
    {"decode - contract.yaml <contract.yaml", 1}, /* which holds no frames */
    {"decode contract.yaml </dev/null", 0},
    {"compat - --against - <contract.yaml", 2},
    {"compat - --against contract.yaml <contract.yaml", 0},
    {"check - --lock - <contract.yaml", 2},
    {"generate contract.yaml --out-dir contract.yaml/below", 3}, /* not a directory */
    {"report contract.yaml >/dev/full", 3},
};
enum { CALL_COUNT = sizeof calls / sizeof calls[0], BROKEN_COUNT = sizeof broken / sizeof broken[0] };

START_TEST(exit_code_tells_what_happened) {
    const bpt_place p = bpt_place_make();
    char arguments[128], err[8192];
    snprintf(arguments, sizeof arguments, "%s", calls[_i].arguments);
    const int code = bpt_place_run(&p, arguments);
    bpt_place_read(&p, "err", err, sizeof err);
    ck_assert_msg(code == calls[_i].exit_code, "%s: exit code %d, expected %d\n%s", arguments, code,
                  calls[_i].exit_code, err);
    if (code != 0 && strstr(arguments, "/dev/full") == NULL) ck_assert_uint_gt(strlen(err), 0);
    bpt_place_remove(&p);
}
END_TEST

START_TEST(what_is_published_is_kept_and_nothing_is_written_otherwise) {
    static snapshot before;
    char err[8192];
    const bpt_place p = bpt_place_make();
    ck_assert_int_eq(bpt_place_run(&p, "publish contract.yaml"), 0);
    take_snapshot(&p, "contract.lock", &before);
    ck_assert_int_eq(bpt_place_run(&p, "publish contract.yaml"), 0);
    bpt_place_read(&p, "out", err, sizeof err);
    ck_assert_ptr_nonnull(strstr(err, "already published"));
    check_untouched(&p, "contract.lock", &before);
    bpt_place_write(&p, "contract.yaml",
                    "schema: {name: tiny, id: 1, version: 2, min_compatible: 1}\n"
                    "messages:\n  Ping: {tlv_type: 1000, fields: {number: u32}}\n");
    ck_assert_int_eq(bpt_place_run(&p, "publish contract.yaml"), 1);
    bpt_place_read(&p, "err", err, sizeof err);
    ck_assert_ptr_nonnull(strstr(err, "contract.yaml:3:35: error[E0708]: 'number' is u32"));
    ck_assert_ptr_nonnull(strstr(err, "contract.lock:7:1: note: as version 1 was published"));
    ck_assert_int_eq(bpt_place_run(&p, "generate contract.yaml --out-dir generated"), 1);
    ck_assert_int_eq(bpt_place_run(&p, "generate contract.yaml --out-dir generated --no-lock"), 0);
    check_untouched(&p, "contract.lock", &before);
    bpt_place_remove(&p);
}
END_TEST

START_TEST(compat_tells_by_its_exit_code_what_breaks) {
    char text[8192];
    const bpt_place p = bpt_place_make();
    bpt_place_write(&p, "new.yaml",
                    "schema: {name: tiny, id: 1, version: 2, min_compatible: 1}\n"
                    "messages:\n  Pong: {tlv_type: 1000, was: Ping, fields: {number: u64}}\n");
    ck_assert_int_eq(bpt_place_run(&p, "compat new.yaml --against contract.yaml"), 0);
    bpt_place_read(&p, "out", text, sizeof text);
    ck_assert_ptr_nonnull(strstr(text, "new.yaml:3:3: breaks source[C0204]: 'Pong' was 'Ping'"));
    ck_assert_ptr_nonnull(strstr(text, "contract.yaml:3:3: note: before"));
    ck_assert_int_eq(bpt_place_run(&p, "compat new.yaml --against - --level source <contract.yaml"), 1);
    ck_assert_int_eq(bpt_place_run(&p, "compat new.yaml --against - --level wire --format json <contract.yaml"), 0);
    bpt_place_read(&p, "out", text, sizeof text);
    ck_assert_ptr_nonnull(strstr(text, "\"compatible\":true"));
    ck_assert_int_eq(bpt_place_run(&p, "compat new.yaml"), 2);
    ck_assert_int_eq(bpt_place_run(&p, "compat new.yaml --against none.yaml"), 3);
    ck_assert_int_eq(bpt_place_run(&p, "compat new.yaml --against out"), 1);
    bpt_place_remove(&p);
}
END_TEST

START_TEST(the_lock_is_among_the_dependencies) {
    char text[8192];
    const bpt_place p = bpt_place_make();
    ck_assert_int_eq(bpt_place_run(&p, "publish contract.yaml --lock other.lock"), 0);
    ck_assert_int_eq(bpt_place_run(&p, "generate contract.yaml --lock other.lock -MD -MF deps -MT all -MP"), 0);
    bpt_place_read(&p, "deps", text, sizeof text);
    ck_assert_str_eq(text, "all: contract.yaml other.lock\ncontract.yaml:\nother.lock:\n");
    ck_assert_int_eq(bpt_place_run(&p, "check contract.yaml --lock none.lock"), 3);
    bpt_place_remove(&p);
}
END_TEST

START_TEST(a_contract_on_standard_input_has_no_lock_beside_it) {
    char text[8192];
    const bpt_place p = bpt_place_make();
    ck_assert_int_eq(bpt_place_run(&p, "publish - <contract.yaml"), 2);
    bpt_place_read(&p, "err", text, sizeof text);
    ck_assert_str_eq(text, "bufpoolc: a contract on standard input has no lock beside it: --lock FILE\n");
    ck_assert_int_eq(bpt_place_run(&p, "publish - --lock other.lock <contract.yaml"), 0);
    bpt_place_write(&p, "-.lock", "no lock\n");
    ck_assert_int_eq(bpt_place_run(&p, "check - <contract.yaml"), 0);
    ck_assert_int_eq(bpt_place_run(&p, "generate - --lock other.lock -MD -MF deps -MT all -MP <contract.yaml"), 0);
    bpt_place_read(&p, "deps", text, sizeof text);
    ck_assert_str_eq(text, "all: other.lock\nother.lock:\n");
    bpt_place_remove(&p);
}
END_TEST

/* Under a sanitizer address space means nothing. */
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
START_TEST(without_memory_it_says_so_and_writes_nothing) {
    static char contract[40000];
    char command[8000], err[256], path[256];
    size_t length = 0;
    const bpt_place p = bpt_place_make();
    length += (size_t)sprintf(contract, "schema: {name: large, id: 1, version: 1}\nmessages:\n");
    for (int i = 1; i <= 500; i++)
        length += (size_t)sprintf(contract + length, "  M%d: {tlv_type: %d, fields: {a: u64, b: u64, c: u64}}\n", i, i);
    bpt_place_write(&p, "large.yaml", contract);
    snprintf(command, sizeof command, "ulimit -v 10000 && '%s' 2>err generate large.yaml --out-dir large", p.bufpoolc);
    ck_assert_int_eq(bpt_place_shell(&p, command), 3);
    bpt_place_read(&p, "err", err, sizeof err);
    ck_assert_str_eq(err, "bufpoolc: out of memory\n");
    ck_assert_int_ne(access(bpt_place_path(&p, "large", path), F_OK), 0);
    bpt_place_remove(&p);
}
END_TEST
#endif

BPT_SUITE(integration_bufpoolc) {
    BPT_TEST(what_is_published_is_kept_and_nothing_is_written_otherwise);
    BPT_TEST(compat_tells_by_its_exit_code_what_breaks);
    BPT_TEST(the_lock_is_among_the_dependencies);
    BPT_TEST(a_contract_on_standard_input_has_no_lock_beside_it);
    BPT_LOOP_TEST(broken_contract_is_refused_with_place_and_caret_and_nothing_is_touched, 0, BROKEN_COUNT);
    BPT_TEST(unchanged_contract_touches_nothing);
    BPT_TEST(check_tells_fresh_from_stale_and_writes_nothing);
    BPT_LOOP_TEST(exit_code_tells_what_happened, 0, CALL_COUNT);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    BPT_TEST(without_memory_it_says_so_and_writes_nothing);
#endif
}
