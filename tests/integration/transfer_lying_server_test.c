#define _GNU_SOURCE
/* A server that lies: the transfer that it lies to ends with an error that names the part, and the one beside it is as
 * if nothing had been said. */
#include "tests/support/transfer_cutter.h"

#include <stdio.h>
#include <string.h>

enum { PART = BP_PART_SIZE_MIN, PARTS = 7, SIZE = PARTS * PART - 100, LIED_ABOUT = 2 };

/* What is said to transfer LIED_TO, the first one, is changed; the others hear the truth. */
enum { LIED_TO = 1 };

typedef enum get_lie {
    PART_FLIPPED,
    PART_OF_ANOTHER_SUM,
    PART_TWICE,
    PART_BEYOND,
    PART_SHORT,
    OTHER_SIZE,
    OTHER_SUM,
    GETS
} get_lie;

typedef struct liar {
    bpt_world world;
    bpt_cutter cutter;
    uint8_t *bytes;
    int lie;
    unsigned told;
} liar;

static uint32_t lie_in_part(liar *l, uint8_t *value, uint32_t length) {
    bpi_transfer_part part;
    uint8_t *data;
    bpt_ok(bpi_transfer_part_decode(value, length, &part));
    if (part.transfer != LIED_TO || part.part != LIED_ABOUT) return length;
    l->told++;
    switch ((get_lie)l->lie) {
    case PART_FLIPPED: value[length - 1] ^= 1; return length;
    case PART_OF_ANOTHER_SUM: part.crc++; break;
    case PART_TWICE: part.part = 0; break;
    case PART_BEYOND: part.part = UINT64_MAX - 1; break;
    case PART_SHORT: part.data_length--; break;
    default: return length;
    }
    bpt_ok(bpi_transfer_part_place(&part, value, length, &length, &data));
    return length;
}

static uint32_t lie_in_opened(liar *l, uint8_t *value, uint32_t length) {
    bpi_transfer_get_opened opened;
    bpt_ok(bpi_transfer_get_opened_decode(value, length, &opened));
    if (opened.transfer != LIED_TO) return length;
    if (l->lie == OTHER_SIZE) opened.size += 5 * PART; /* then parts are wanted that are not there */
    if (l->lie == OTHER_SUM) {
        opened.has_crc = true;
        opened.crc = 5;
    }
    l->told += l->lie == OTHER_SIZE || l->lie == OTHER_SUM;
    bpt_ok(bpi_transfer_get_opened_encode(&opened, value, length, &length));
    return length;
}

static uint32_t lie_about_get(bpt_cutter *cutter, bool is_to_client, uint16_t type, uint8_t *value, uint32_t length) {
    if (is_to_client && type == BPI_TRANSFER_PART_TYPE) return lie_in_part(cutter->data, value, length);
    if (is_to_client && type == BPI_TRANSFER_GET_OPENED_TYPE) return lie_in_opened(cutter->data, value, length);
    return length;
}

static void start(liar *l, int lie) {
    const bpt_world_options with = {.way = 1, .reconnect_ms = 1, .client = {.part_size = PART}};
    *l = (liar){.lie = lie};
    bpt_world_init(&l->world, &with);
    bpt_world_serve(&l->world);
    bpt_cutter_init(&l->cutter, &l->world);
    l->cutter.data = l;
    l->world.with.address = l->cutter.address;
    bpt_world_connect(&l->world);
    l->bytes = bpt_bytes_new(61, SIZE);
}

static void stop(liar *l) {
    bpt_cutter_fini(&l->cutter);
    bpt_world_fini(&l->world);
    free(l->bytes);
}

static void finish(liar *l, bpt_job *job) { bpt_cutter_until(&l->cutter, job->done_count != 0); }

static const struct {
    bp_err body, file;
    uint64_t part;
} of_gets[GETS] = {
    [PART_FLIPPED] = {BP_ERR_CHECKSUM, BP_ERR_CHECKSUM, LIED_ABOUT},
    [PART_OF_ANOTHER_SUM] = {BP_ERR_CHECKSUM, BP_ERR_CHECKSUM, LIED_ABOUT},
    [PART_TWICE] = {BP_ERR_PART, BP_ERR_PART, 0},
    [PART_BEYOND] = {BP_ERR_PART, BP_ERR_PART, UINT64_MAX - 1},
    [PART_SHORT] = {BP_ERR_PART, BP_ERR_PART, LIED_ABOUT},
    [OTHER_SIZE] = {BP_ERR_PART, BP_ERR_PART, PARTS - 1},
    [OTHER_SUM] = {BP_ERR_CHECKSUM, BP_ERR_CHECKSUM, BP_PART_NONE},
};

/* _i: the lie, to a callback or a file. */
static uint32_t lie_about_version(bpt_cutter *cutter, bool is_to_client, uint16_t type, uint8_t *value,
                                  uint32_t length) {
    bpi_transfer_get_opened opened;
    if (!is_to_client || type != BPI_TRANSFER_GET_OPENED_TYPE) return length;
    bpt_ok(bpi_transfer_get_opened_decode(value, length, &opened));
    opened.version += cutter->cuts;
    bpt_ok(bpi_transfer_get_opened_encode(&opened, value, length, &length));
    return length;
}

/* Behind a lost connection there is another version, of the same size: nothing of it is handed on. */
START_TEST(other_version_is_not_taken_for_the_first) {
    liar l;
    bpt_job get = {0};
    start(&l, 0);
    l.cutter.lie = lie_about_version;
    l.cutter.cut_at = 10;
    bpt_file_write(bpt_world_path(&l.world, "objects/a"), l.bytes, SIZE);
    bpt_job_get(&l.world, &get, (bp_get_config){.name = "a"});
    finish(&l, &get);
    ck_assert_uint_eq(l.cutter.cuts, 1);
    bpt_err(get.err, BP_ERR_CHANGED);
    bpt_job_free(&get);
    stop(&l);
}
END_TEST

START_TEST(get_is_not_taken_in) {
    liar l;
    bpt_job lied_to = {0}, other = {0};
    const bool is_file = _i % 2 != 0;
    start(&l, _i / 2);
    l.cutter.lie = lie_about_get;
    bpt_file_write(bpt_world_path(&l.world, "objects/a"), l.bytes, SIZE);
    const char *path = is_file ? bpt_world_path(&l.world, "copy") : NULL;
    bpt_job_get(&l.world, &lied_to, (bp_get_config){.name = "a", .path = path});
    bpt_job_get(&l.world, &other, (bp_get_config){.name = "a"});
    finish(&l, &lied_to);
    finish(&l, &other);
    ck_assert_uint_gt(l.told, 0);
    ck_assert_str_eq(bp_err_name(lied_to.err), bp_err_name(is_file ? of_gets[l.lie].file : of_gets[l.lie].body));
    /* Of another size: the last part is short, or the server refuses the one behind it, whichever comes first. */
    if (l.lie != OTHER_SIZE || lied_to.outcome.part != PARTS) {
        ck_assert_uint_eq(lied_to.outcome.part, of_gets[l.lie].part);
    }
    ck_assert(!bpt_file_exists(bpt_world_path(&l.world, "copy")));
    /* Part 2 in the place of part 0, where it is the first to come, is found out by the second part 0. */
    const bool is_found_out_late = l.lie == PART_TWICE;
    ck_assert(is_found_out_late || lied_to.got_size == 0 || memcmp(lied_to.got, l.bytes, lied_to.got_size) == 0);
    bpt_ok(other.err);
    ck_assert_uint_eq(other.got_size, SIZE);
    ck_assert_int_eq(memcmp(other.got, l.bytes, SIZE), 0);
    ck_assert_uint_eq(l.world.closes, 0);
    bpt_job_free(&lied_to);
    bpt_job_free(&other);
    stop(&l);
}
END_TEST

/* ---- puts ---- */

enum { DONE_OF_ANOTHER, DONE_OF_UNSENT, HAS_BEYOND, PUTS };

static uint32_t lie_in_put_opened(liar *l, uint8_t *value, uint32_t length) {
    bpi_transfer_put_opened opened;
    bpt_ok(bpi_transfer_put_opened_decode(value, length, &opened));
    if (opened.transfer != LIED_TO || l->lie != HAS_BEYOND) return length;
    l->told++;
    opened.first = 1000;
    bpt_ok(bpi_transfer_put_opened_encode(&opened, value, length, &length));
    return length;
}

static uint32_t lie_in_done(liar *l, uint8_t *value, uint32_t length) {
    bpi_transfer_part_done done;
    bpt_ok(bpi_transfer_part_done_decode(value, length, &done));
    if (done.transfer != LIED_TO || done.part != LIED_ABOUT) return length;
    l->told++;
    if (l->lie == DONE_OF_ANOTHER) done.part = 0;
    if (l->lie == DONE_OF_UNSENT) done.part = 63;
    bpt_ok(bpi_transfer_part_done_encode(&done, value, length, &length));
    return length;
}

static uint32_t lie_about_put(bpt_cutter *cutter, bool is_to_client, uint16_t type, uint8_t *value, uint32_t length) {
    liar *l = cutter->data;
    if (is_to_client && type == BPI_TRANSFER_PUT_OPENED_TYPE) return lie_in_put_opened(l, value, length);
    if (is_to_client && type == BPI_TRANSFER_PART_DONE_TYPE && l->lie <= DONE_OF_UNSENT) {
        return lie_in_done(l, value, length);
    }
    return length;
}

static const struct {
    bp_err err;
    uint64_t part;
} of_puts[PUTS] = {
    [DONE_OF_ANOTHER] = {BP_ERR_PART, 0},
    [DONE_OF_UNSENT] = {BP_ERR_PART, 63},
    [HAS_BEYOND] = {BP_ERR_PART, 1000},
};

START_TEST(put_is_not_taken_in) {
    liar l;
    bpt_job lied_to = {0}, other = {0};
    start(&l, _i);
    l.cutter.lie = lie_about_put;
    bpt_job_put(&l.world, &lied_to, (bp_put_config){.name = "a", .data = l.bytes, .size = SIZE});
    bpt_job_put(&l.world, &other, (bp_put_config){.name = "b", .data = l.bytes, .size = SIZE});
    finish(&l, &lied_to);
    finish(&l, &other);
    ck_assert_uint_eq(l.told, 1);
    ck_assert_str_eq(bp_err_name(lied_to.err), bp_err_name(of_puts[_i].err));
    ck_assert_uint_eq(lied_to.outcome.part, of_puts[_i].part);
    ck_assert(!bpt_file_exists(bpt_world_path(&l.world, "objects/a")));
    bpt_ok(other.err);
    ck_assert(bpt_file_is(bpt_world_path(&l.world, "objects/b"), l.bytes, SIZE));
    ck_assert_uint_eq(l.world.closes, 0);
    stop(&l);
}
END_TEST

BPT_SUITE(integration_transfer_lying_server) {
    BPT_TIMEOUT(60);
    BPT_LOOP_TEST(get_is_not_taken_in, 0, 2 * GETS);
    BPT_TEST(other_version_is_not_taken_for_the_first);
    BPT_LOOP_TEST(put_is_not_taken_in, 0, PUTS);
}
