/* Where bufpoolc says what is wrong, and when in colours: on a terminal, in a pipe, as JSON. */
#define _XOPEN_SOURCE 700
#include "tests/support/bufpoolc_place.h"
#include "tests/support/suite.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char wrong[] = "schema: {name: tiny}\nmessages:\n  Ping: {tlv_type: 1000, fields: {a: u46}}\n";

static const struct {
    const char *environment, *options;
    bool is_terminal, is_colored;
} cases[] = {
    {"TERM=xterm", "", true, true},
    {"TERM=xterm", "", false, false},
    {"TERM=xterm NO_COLOR=1", "", true, false},
    {"TERM=xterm NO_COLOR=", "", true, true},
    {"TERM=dumb", "", true, false},
    {"TERM=xterm", "--color=never", true, false},
    {"TERM=dumb NO_COLOR=1", "--color always", false, true},
};

/* Runs the command with its standard error on that new pseudo-terminal and reads what arrives there. */
static void run_on_terminal(int terminal, const char *command, char *said, size_t size) {
    ck_assert_int_eq(grantpt(terminal), 0);
    ck_assert_int_eq(unlockpt(terminal), 0);
    const int end = open(ptsname(terminal), O_RDWR | O_NOCTTY);
    ck_assert_int_ge(end, 0);
    const pid_t child = fork();
    if (child == 0) {
        dup2(end, STDERR_FILENO);
        execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        _exit(127);
    }
    ck_assert_int_gt(child, 0);
    int status = 0;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 1 << 8);
    const ssize_t length = read(terminal, said, size - 1);
    ck_assert_int_gt(length, 0);
    said[length] = '\0';
    close(end);
    close(terminal);
}

/* A bare root folder may have no pseudo-terminals to give: then nothing may be coloured but what is so by order. */
START_TEST(colors_are_for_terminals) {
    char command[8192], said[8192];
    const bpt_place p = bpt_place_make();
    const int terminal = cases[_i].is_terminal ? posix_openpt(O_RDWR | O_NOCTTY) : -1;
    const bool is_colored = cases[_i].is_colored && (terminal >= 0) == cases[_i].is_terminal;
    bpt_place_write(&p, "wrong.yaml", wrong);
    snprintf(command, sizeof command, "cd '%s' && env -u NO_COLOR %s '%s' check wrong.yaml %s%s", p.directory,
             cases[_i].environment, p.bufpoolc, cases[_i].options, terminal >= 0 ? "" : " 2>err");
    if (terminal >= 0) {
        run_on_terminal(terminal, command, said, sizeof said);
    } else {
        ck_assert_int_eq(bpt_place_shell(&p, command), 1);
        bpt_place_read(&p, "err", said, sizeof said);
    }
    ck_assert_ptr_nonnull(strstr(said, "unknown type 'u46'"));
    ck_assert_msg((strchr(said, '\x1b') != NULL) == is_colored, "%s %s:\n%s", cases[_i].environment,
                  cases[_i].options, said);
    bpt_place_remove(&p);
}
END_TEST

START_TEST(json_is_one_document_on_standard_output) {
    char said[8192];
    const bpt_place p = bpt_place_make();
    bpt_place_write(&p, "wrong.yaml", wrong);
    ck_assert_int_eq(bpt_place_run(&p, "check wrong.yaml --format json"), 1);
    ck_assert_uint_eq(bpt_place_read(&p, "err", said, sizeof said), 0);
    bpt_place_read(&p, "out", said, sizeof said);
    ck_assert_ptr_nonnull(strstr(said, "{\"file\":\"wrong.yaml\",\"errors\":1,\"warnings\":0,"));
    ck_assert_ptr_nonnull(strstr(said, "\"suggestion\":\"u16\""));
    ck_assert_int_eq(bpt_place_run(&p, "generate contract.yaml --out-dir generated --format=json"), 0);
    bpt_place_read(&p, "out", said, sizeof said);
    ck_assert_str_eq(said, "{\"file\":\"contract.yaml\",\"errors\":0,\"warnings\":0,\"diagnostics\":[]}\n");
    bpt_place_remove(&p);
}
END_TEST

START_TEST(the_last_line_counts) {
    char said[8192];
    const bpt_place p = bpt_place_make();
    bpt_place_write(&p, "wrong.yaml", wrong);
    ck_assert_int_eq(bpt_place_run(&p, "check wrong.yaml"), 1);
    bpt_place_read(&p, "err", said, sizeof said);
    ck_assert_ptr_nonnull(strstr(said, "\nwrong.yaml: 1 error, 0 warnings\n"));
    ck_assert_int_eq(bpt_place_run(&p, "check contract.yaml"), 0);
    ck_assert_uint_eq(bpt_place_read(&p, "err", said, sizeof said), 0);
    bpt_place_remove(&p);
}
END_TEST

START_TEST(a_wrong_prefix_is_shown_on_the_command_line) {
    char said[8192];
    const bpt_place p = bpt_place_make();
    ck_assert_int_eq(bpt_place_run(&p, "check contract.yaml --prefix 9x"), 1);
    bpt_place_read(&p, "err", said, sizeof said);
    ck_assert_ptr_nonnull(strstr(said, "command line:1:10: error[E0301]: '9x' is not a name"));
    ck_assert_ptr_nonnull(strstr(said, "    1 | --prefix 9x\n      |          ^~\ncontract.yaml: 1 error,"));
    ck_assert_int_eq(bpt_place_run(&p, "check contract.yaml --prefix bpx"), 1);
    bpt_place_read(&p, "err", said, sizeof said);
    ck_assert_ptr_nonnull(strstr(said, "command line:1:10: error[E0302]"));
    bpt_place_remove(&p);
}
END_TEST

BPT_SUITE(integration_bufpoolc_terminal) {
    BPT_LOOP_TEST(colors_are_for_terminals, 0, sizeof cases / sizeof cases[0]);
    BPT_TEST(json_is_one_document_on_standard_output);
    BPT_TEST(the_last_line_counts);
    BPT_TEST(a_wrong_prefix_is_shown_on_the_command_line);
}
