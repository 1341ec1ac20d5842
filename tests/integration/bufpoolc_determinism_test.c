/* The same contract, the same bytes: whoever runs bufpoolc, wherever and whenever. */
#define _POSIX_C_SOURCE 200809L
#include "tests/support/bufpoolc_place.h"
#include "tests/support/suite.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Ten surroundings: what stands before the command, and how the contract is called. `there` is the contract's folder.
 */
static const struct {
    const char *before, *contract;
} runs[] = {
    {"", "contracts.yaml"},
    {"env -i", "contracts.yaml"},
    {"LC_ALL=tr_TR.UTF-8 LANG=tr_TR.UTF-8 LANGUAGE=tr", "./contracts.yaml"},
    {"LC_ALL=de_DE.UTF-8 LC_NUMERIC=de_DE.UTF-8", "../place/contracts.yaml"},
    {"LC_ALL=POSIX TZ=Asia/Kathmandu", "\"$PWD/contracts.yaml\""},
    {"TZ=America/St_Johns SOURCE_DATE_EPOCH=1", "contracts.yaml"},
    {"umask 077;", "contracts.yaml"},
    {"umask 0;", "deeper/../contracts.yaml"},
    {"HOME=/nonexistent USER=somebody COLUMNS=20 TERM=dumb NO_COLOR=1 MALLOC_PERTURB_=165", "contracts.yaml"},
    {"touch -t 200102030405 contracts.yaml; cd deeper;", "../contracts.yaml"},
};
enum { RUN_COUNT = sizeof runs / sizeof runs[0] };

START_TEST(output_is_the_same_byte_for_byte_in_ten_surroundings) {
    const bpt_place p = bpt_place_make();
    char root[4096], command[16384];
    ck_assert_ptr_nonnull(getcwd(root, sizeof root));
    snprintf(command, sizeof command, "mkdir -p place/deeper && cp '%.3000s/contracts.yaml' place", root);
    ck_assert_int_eq(bpt_place_shell(&p, command), 0);
    for (size_t i = 0; i < RUN_COUNT; i++) {
        snprintf(command, sizeof command,
                 "(cd place && %s '%s' generate %s --with tests,fuzz,reference --out-dir '%s/out%zu') && "
                 "(cd place && %s '%s' report %s --format json) >report%zu && "
                 "diff -r out0 out%zu && cmp report0 report%zu",
                 runs[i].before, p.bufpoolc, runs[i].contract, p.directory, i, runs[i].before, p.bufpoolc,
                 runs[i].contract, i, i, i);
        ck_assert_msg(bpt_place_shell(&p, command) == 0, "run %zu is not as the first: %s", i, runs[i].before);
    }
    /* Nothing of the machine is in them. */
    snprintf(command, sizeof command, "! grep -rE '%s|/home/|/tmp/' out0", p.directory);
    ck_assert_int_eq(bpt_place_shell(&p, command), 0);
    bpt_place_remove(&p);
}
END_TEST

START_TEST(diagnostics_are_the_same_too) {
    const bpt_place p = bpt_place_make();
    char root[4096], command[16384];
    ck_assert_ptr_nonnull(getcwd(root, sizeof root));
    snprintf(command, sizeof command,
             "mkdir -p place/deeper && cp '%.3000s/tests/bad/many-mistakes.yaml' "
             "place/contracts.yaml",
             root);
    ck_assert_int_eq(bpt_place_shell(&p, command), 0);
    for (size_t i = 0; i < RUN_COUNT; i++) {
        snprintf(command, sizeof command, "(cd place && %s '%s' check %s) 2>said%zu", runs[i].before, p.bufpoolc,
                 runs[i].contract, i);
        ck_assert_int_eq(bpt_place_shell(&p, command), 1);
        /* The file is called as the user called it. */
        snprintf(command, sizeof command, "sed 's|^[^:]*contracts.yaml:|contracts.yaml:|' said%zu | cmp - said0", i);
        ck_assert_msg(bpt_place_shell(&p, command) == 0, "run %zu is not as the first: %s", i, runs[i].before);
    }
    bpt_place_remove(&p);
}
END_TEST

BPT_SUITE(integration_bufpoolc_determinism) {
    BPT_TEST(output_is_the_same_byte_for_byte_in_ten_surroundings);
    BPT_TEST(diagnostics_are_the_same_too);
}
