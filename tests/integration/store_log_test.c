#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64
/* The log of a put is read by whoever has the contract: `bufpoolc decode`. */
#include "tests/support/bufpoolc_place.h"
#include "tests/support/store_rig.h"

#include <stdio.h>

START_TEST(a_log_is_decoded_by_the_compiler) {
    static const char *const due[] = {"LogPut", "LogPart", "LogPart", "LogCommit"};
    char command[9000], contract[4200], out[4096];
    bpt_store of;
    bpt_put put = bpt_put_of("an/object", 2 * BPT_PART, 1);
    bpt_place place = bpt_place_make();
    ck_assert_ptr_nonnull(realpath("src/transfer/transfer.yaml", contract));
    bpt_store_start(&of, NULL);
    bpt_ok(bpt_put_open(&of, &put));
    bpt_ok(bpt_put_rest(&of, &put));
    bpt_put_close(&of, &put);
    (void)snprintf(command, sizeof command, "decode %s %s", contract, bpt_work_path(&of, &put.token, ".log"));
    ck_assert_int_eq(bpt_place_run(&place, command), 0);
    ck_assert_uint_gt(bpt_place_read(&place, "out", out, sizeof out), 0);
    const char *at = out;
    for (size_t i = 0; i < sizeof due / sizeof due[0]; i++) {
        char message[32];
        (void)snprintf(message, sizeof message, "\"message\":\"%s\"", due[i]);
        at = strstr(at, message);
        ck_assert_msg(at != NULL, "%s is missing, or not in its place: %s", due[i], out);
        at += strlen(message);
    }
    ck_assert_ptr_nonnull(strstr(out, "\"name\":\"an/object\""));
    bpt_store_end(&of);
    bpt_place_remove(&place);
}
END_TEST

BPT_SUITE(integration_store_log) { BPT_TEST(a_log_is_decoded_by_the_compiler); }
