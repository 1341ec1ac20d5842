#include "bufpool/base.h"
#include "tests/support/suite.h"

#include <string.h>

static const bp_err all[] = {
#define BP_ERROR(name, number, text) name,
#include "bufpool/errors.def"
#undef BP_ERROR
};

START_TEST(every_outcome_has_a_name_and_a_text_of_its_own) {
    const size_t count = sizeof all / sizeof all[0];
    for (size_t i = 0; i < count; i++) {
        ck_assert_str_ne(bp_err_text(all[i]), "");
        ck_assert_str_ne(bp_err_text(all[i]), bp_err_text((bp_err)9999));
        ck_assert_int_eq(strncmp(bp_err_name(all[i]), "BP_", 3), 0);
        for (size_t other = 0; other < i; other++) {
            ck_assert_int_ne(all[i], all[other]);
            ck_assert_str_ne(bp_err_text(all[i]), bp_err_text(all[other]));
        }
    }
}
END_TEST

START_TEST(success_is_zero_and_errors_begin_at_16) {
    ck_assert_int_eq(BP_OK, 0);
    ck_assert_str_eq(bp_err_name(BP_OK), "BP_OK");
    ck_assert_int_lt(BP_MORE, 16);
    ck_assert_int_lt(BP_PENDING, 16);
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        const bool is_error = strncmp(bp_err_name(all[i]), "BP_ERR_", 7) == 0;
        ck_assert_int_eq(is_error, all[i] >= 16);
    }
}
END_TEST

START_TEST(an_unknown_number_is_no_accident) {
    ck_assert_str_eq(bp_err_text((bp_err)9999), "unknown error");
    ck_assert_ptr_nonnull(bp_err_name((bp_err)9999));
}
END_TEST

START_TEST(the_library_is_the_one_of_the_headers) {
    ck_assert_str_eq(bp_version(), BP_VERSION);
    ck_assert_uint_eq(bp_abi(), BP_ABI);
}
END_TEST

BPT_SUITE(base_error) {
    BPT_TEST(every_outcome_has_a_name_and_a_text_of_its_own);
    BPT_TEST(success_is_zero_and_errors_begin_at_16);
    BPT_TEST(an_unknown_number_is_no_accident);
    BPT_TEST(the_library_is_the_one_of_the_headers);
}
