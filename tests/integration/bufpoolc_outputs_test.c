/* What is on the disk when a run of bufpoolc goes wrong: a full disk, a directory that may not be written, a kill at
 * any moment, two runs at once. Each file is the old or the new one, whole; and what is mixed does not compile. */
#define _XOPEN_SOURCE 700
#include "tests/support/bufpoolc_place.h"
#include "tests/support/suite.h"

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char changed_contract[] = "schema: {name: tiny, id: 1, version: 1, min_compatible: 1}\n"
                                       "messages:\n"
                                       "  Ping: {tlv_type: 1000, fields: {number: u32, text: \"FixedStr<100>\"}}\n"
                                       "  Pong: {tlv_type: 1001, fields: {number: u32}}\n";

static const char *const files[] = {"tiny.h",          "tiny_sizes.h",   "tiny_messages.h",
                                    "tiny_messages.c", "tiny_service.h", "tiny_service.c"};
enum { FILE_COUNT = sizeof files / sizeof files[0] };

/* A place whose generated/ is of the good contract; old/ and new/ hold what it and the changed one become. */
static bpt_place make_place(void) {
    const bpt_place p = bpt_place_make();
    bpt_place_write(&p, "changed.yaml", changed_contract);
    ck_assert_int_eq(bpt_place_shell(&p, "cp -r generated old && mkdir new && cp changed.yaml new/contract.yaml"), 0);
    ck_assert_int_eq(bpt_place_run(&p, "generate new/contract.yaml --out-dir new"), 0);
    ck_assert_int_eq(bpt_place_shell(&p, "cp changed.yaml contract.yaml && rm new/contract.yaml"), 0);
    return p;
}

static void check_is_old(const bpt_place *p) {
    ck_assert_msg(bpt_place_shell(p, "diff -r old generated >diff") == 0, "a file is not as it was in %s",
                  p->directory);
}

static void check_says(const bpt_place *p, const char *words) {
    char said[8192];
    bpt_place_read(p, "err", said, sizeof said);
    ck_assert_msg(strstr(said, words) != NULL, "'%s' is not in\n%s", words, said);
}

static bool is_like(const bpt_place *p, const char *set, const char *name) {
    char command[128];
    snprintf(command, sizeof command, "cmp -s %s/%s generated/%s", set, name, name);
    return bpt_place_shell(p, command) == 0;
}

START_TEST(a_disk_that_fills_up_leaves_every_file_as_it_was) {
    const bpt_place p = make_place();
    char command[8192];
    /* Writing past a limit fails as on a full disk, when its signal is ignored. */
    for (int blocks = 0; blocks < 12; blocks += 2) {
        snprintf(command, sizeof command,
                 "(trap '' XFSZ; ulimit -f %d; exec '%s' generate contract.yaml --out-dir generated) 2>&1 | cat >err",
                 blocks, p.bufpoolc);
        ck_assert_int_eq(bpt_place_shell(&p, command), 0);
        check_says(&p, "File too large");
        check_is_old(&p);
    }
    ck_assert_int_eq(bpt_place_run(&p, "generate contract.yaml --only sizes -o /dev/full"), 3);
    check_says(&p, "/dev/full: No space left on device");
    ck_assert_int_eq(bpt_place_run(&p, "generate contract.yaml --out-dir generated -MD -MF /dev/full"), 3);
    bpt_place_remove(&p);
}
END_TEST

/* As nobody when the tests are run by root, whom no permission stops. */
static int run_unprivileged(const bpt_place *p, const char *command) {
    const pid_t child = fork();
    if (child == 0) {
        if (geteuid() == 0 && setuid(65534) != 0) _exit(126);
        _exit(bpt_place_shell(p, command));
    }
    int status = 0;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFEXITED(status));
    return WEXITSTATUS(status);
}

START_TEST(a_read_only_directory_is_told_and_nothing_is_changed) {
    const bpt_place p = make_place();
    char command[8192];
    snprintf(command, sizeof command,
             "cp '%s' bufpoolc && touch err && chmod 666 err && chmod 755 . && chmod 555 generated bufpoolc",
             p.bufpoolc);
    ck_assert_int_eq(bpt_place_shell(&p, command), 0);
    ck_assert_int_eq(run_unprivileged(&p, "./bufpoolc generate contract.yaml --out-dir generated 2>err"), 3);
    check_says(&p, "Permission denied");
    ck_assert_int_eq(bpt_place_shell(&p, "chmod 755 generated"), 0);
    check_is_old(&p);
    ck_assert_int_eq(bpt_place_run(&p, "generate contract.yaml --out-dir contract.yaml"), 3);
    check_says(&p, "Not a directory");
    bpt_place_remove(&p);
}
END_TEST

START_TEST(a_run_that_is_killed_while_it_writes_leaves_every_file_as_it_was) {
    const bpt_place p = make_place();
    char command[8192], said[64];
    for (int blocks = 0; blocks < 12; blocks += 2) {
        snprintf(command, sizeof command,
                 "(ulimit -c 0; ulimit -f %d; exec '%s' generate contract.yaml --out-dir generated); echo $? >code",
                 blocks, p.bufpoolc);
        ck_assert_int_eq(bpt_place_shell(&p, command), 0);
        bpt_place_read(&p, "code", said, sizeof said);
        ck_assert_int_eq(atoi(said), 128 + SIGXFSZ);
        ck_assert_int_eq(
            bpt_place_shell(&p, "find generated -name '*.tmp' -exec touch -d '1 hour ago' {} + && mkdir left && "
                                "mv generated/*.tmp left"),
            0);
        check_is_old(&p);
        ck_assert_int_eq(bpt_place_shell(&p, "mv left/* generated && rmdir left"), 0);
    }
    ck_assert_int_eq(bpt_place_run(&p, "generate contract.yaml --out-dir generated"), 0);
    ck_assert_msg(bpt_place_shell(&p, "diff -r new generated") == 0, "what the killed runs left is still there");
    bpt_place_remove(&p);
}
END_TEST

/* One run that is killed after so many nanoseconds, or ends before. */
static void run_and_kill(const bpt_place *p, const char *contract, long after) {
    char path[256], out[256];
    const struct timespec pause = {.tv_nsec = after};
    bpt_place_path(p, contract, path);
    bpt_place_path(p, "generated", out);
    const pid_t child = fork();
    if (child == 0) {
        execl(p->bufpoolc, "bufpoolc", "generate", path, "--out-dir", out, (char *)NULL);
        _exit(127);
    }
    ck_assert_int_gt(child, 0);
    nanosleep(&pause, NULL);
    kill(child, SIGKILL);
    ck_assert_int_eq(waitpid(child, NULL, 0), child);
}

START_TEST(a_kill_at_any_moment_leaves_every_file_whole) {
    const bpt_place p = make_place();
    ck_assert_int_eq(bpt_place_shell(&p, "mkdir one && cp changed.yaml one/contract.yaml"), 0);
    for (int round = 0; round < 60; round++) {
        ck_assert_int_eq(bpt_place_shell(&p, "cp old/* generated"), 0);
        run_and_kill(&p, "one/contract.yaml", 200000L * (round % 30));
        for (size_t i = 0; i < FILE_COUNT; i++) {
            ck_assert_msg(is_like(&p, "old", files[i]) || is_like(&p, "new", files[i]), "%s is in pieces", files[i]);
        }
    }
    bpt_place_remove(&p);
}
END_TEST

/* What a kill between two renames leaves: some old files, some new ones. Every such set. */
START_TEST(a_mixed_set_does_not_compile) {
    const bpt_place p = make_place();
    char command[1024], root[4200];
    ck_assert_ptr_nonnull(getcwd(root, sizeof root));
    snprintf(
        command, sizeof command,
        "for f in generated/*.c; do cc -std=c11 -fsyntax-only -I%.400s/include -Igenerated $f 2>>compiled || exit 1; "
        "done",
        root);
    ck_assert_int_eq(bpt_place_shell(&p, command), 0);
    for (unsigned set = 1; set < 1u << FILE_COUNT; set++) {
        char copy[1024] = "cp old/* generated";
        bool is_mixed = false;
        for (size_t i = 0; i < FILE_COUNT; i++) {
            if ((set & 1u << i) == 0) continue;
            snprintf(copy + strlen(copy), sizeof copy - strlen(copy), " && cp new/%s generated", files[i]);
        }
        ck_assert_int_eq(bpt_place_shell(&p, copy), 0);
        /* The umbrella is the same in both: it does not make a set mixed. */
        const unsigned others = (1u << FILE_COUNT) - 2;
        is_mixed = (set & others) != 0 && (set & others) != others;
        ck_assert_msg((bpt_place_shell(&p, command) != 0) == is_mixed, "set %x %s", set,
                      is_mixed ? "compiles" : "does not compile");
    }
    bpt_place_remove(&p);
}
END_TEST

START_TEST(runs_at_the_same_time_do_not_disturb_each_other) {
    const bpt_place p = make_place();
    char command[8192];
    snprintf(command, sizeof command,
             "for i in 1 2 3 4 5 6 7 8; do rm -f generated/*; pids=; for k in 1 2 3 4; do '%s' generate contract.yaml "
             "--out-dir generated & pids=\"$pids $!\"; done; for one in $pids; do wait $one || exit 1; done; "
             "diff -r new generated || exit 2; done",
             p.bufpoolc);
    ck_assert_int_eq(bpt_place_shell(&p, command), 0);
    bpt_place_remove(&p);
}
END_TEST

START_TEST(check_names_the_line_what_is_missing_and_what_is_left_over) {
    const bpt_place p = make_place();
    ck_assert_int_eq(bpt_place_run(&p, "generate contract.yaml --out-dir generated --check"), 1);
    check_says(&p, "generated/tiny_sizes.h:5: stale: the first line that differs\n");
    ck_assert_int_eq(bpt_place_shell(&p, "cp new/* generated && rm generated/tiny_service.c"), 0);
    ck_assert_int_eq(bpt_place_run(&p, "generate contract.yaml --out-dir generated --check"), 1);
    check_says(&p, "generated/tiny_service.c: stale: the file is missing\n");
    ck_assert_int_eq(bpt_place_shell(&p, "cp new/* generated && cp new/tiny_sizes.h generated/before_sizes.h"), 0);
    ck_assert_int_eq(bpt_place_run(&p, "generate contract.yaml --out-dir generated --check"), 1);
    check_says(&p, "generated/before_sizes.h: stale: it is not written any more; remove it\n");
    ck_assert_int_eq(bpt_place_shell(&p, "rm generated/before_sizes.h && cp contract.yaml generated"), 0);
    ck_assert_int_eq(bpt_place_run(&p, "generate contract.yaml --out-dir generated --with tests,fuzz"), 0);
    ck_assert_int_eq(bpt_place_run(&p, "generate contract.yaml --out-dir generated --check"), 0);
    bpt_place_remove(&p);
}
END_TEST

static void check_out(const bpt_place *p, const char *expected) {
    char said[8192];
    bpt_place_read(p, "out", said, sizeof said);
    ck_assert_str_eq(said, expected);
}

START_TEST(parts_are_chosen_and_one_file_goes_anywhere) {
    const bpt_place p = make_place();
    ck_assert_int_eq(bpt_place_run(&p, "generate contract.yaml --only messages,sizes --list-outputs"), 0);
    check_out(&p, "./tiny_sizes.h\n./tiny_messages.h\n./tiny_messages.c\n");
    ck_assert_int_eq(bpt_place_run(&p,
                                   "generate contract.yaml --only umbrella --with tests --out-dir x --list-outputs"),
                     0);
    check_out(&p, "x/tiny.h\nx/tiny_test.c\n");
    ck_assert_int_eq(bpt_place_run(&p, "generate contract.yaml --only messages.h -o sub/m.h --list-outputs"), 0);
    check_out(&p, "sub/m.h\n");
    ck_assert_int_eq(bpt_place_run(&p, "generate contract.yaml --only messages.h -o sub/m.h -MD -MF sub/m.d"), 0);
    ck_assert_int_eq(
        bpt_place_shell(&p, "cmp sub/m.h new/tiny_messages.h && test \"$(ls sub)\" = \"$(printf 'm.d\\nm.h')\" "
                            "&& grep -q '^sub/m.h: contract.yaml$' sub/m.d"),
        0);
    ck_assert_int_eq(bpt_place_run(&p, "generate contract.yaml --only messages.h -o sub/m.h --check"), 0);
    ck_assert_int_eq(bpt_place_run(&p, "generate contract.yaml --only service.c -o -"), 0);
    ck_assert_int_eq(bpt_place_shell(&p, "cmp out new/tiny_service.c"), 0);
    bpt_place_remove(&p);
}
END_TEST

static const struct {
    const char *arguments, *says;
} refused[] = {
    {"--only mesages", "nothing that can be written is called 'mesages'; did you mean 'messages'?"},
    {"--with x", "nothing that can be written is called 'x'"},
    {"--only ,", "nothing that can be written is called ''"},
    {"--only ''", "--only names nothing"},
    {"-o x.h", "-o takes one file: choose it with --only, as --only messages.h"},
    {"-o x.h --only messages", "-o takes one file"},
    {"-o x.h --only sizes --out-dir y", "-o and --out-dir both say where to write"},
    {"-o - --only sizes --check", "--check has nothing to compare with -o -"},
    {"-o - --only sizes --format json", "--format json needs standard output for itself"},
    {"--list-outputs --format json", "--format json needs standard output for itself"},
    {"-o - --only sizes -MD", "name it with -MT"},
};

START_TEST(what_contradicts_itself_is_usage) {
    const bpt_place p = bpt_place_make();
    char arguments[256];
    snprintf(arguments, sizeof arguments, "generate contract.yaml %s", refused[_i].arguments);
    ck_assert_int_eq(bpt_place_run(&p, arguments), 2);
    check_says(&p, refused[_i].says);
    bpt_place_remove(&p);
}
END_TEST

BPT_LONG_SUITE(integration_bufpoolc_outputs) {
    BPT_TEST(a_disk_that_fills_up_leaves_every_file_as_it_was);
    BPT_TEST(a_read_only_directory_is_told_and_nothing_is_changed);
    BPT_TEST(a_run_that_is_killed_while_it_writes_leaves_every_file_as_it_was);
    BPT_TEST(a_kill_at_any_moment_leaves_every_file_whole);
    BPT_TEST(a_mixed_set_does_not_compile);
    BPT_TEST(runs_at_the_same_time_do_not_disturb_each_other);
    BPT_TEST(check_names_the_line_what_is_missing_and_what_is_left_over);
    BPT_TEST(parts_are_chosen_and_one_file_goes_anywhere);
    BPT_LOOP_TEST(what_contradicts_itself_is_usage, 0, sizeof refused / sizeof refused[0]);
}
