#include "base/os.h"
#include "tests/support/frame_schema.h"
#include "tests/support/suite.h"

static const bp_type_info other_types[] = {{.name = "Other", .type = 1500, .accept_min = 1, .accept_max = 2},
                                           {.name = "Last", .type = 65535, .accept_min = 0, .accept_max = UINT32_MAX}};
static const bp_type_range other_ranges[] = {{.first = 3000, .last = 3000, .unknown = BP_UNKNOWN_SKIP},
                                             {.first = 4000, .last = 4000, .unknown = BP_UNKNOWN_DELIVER},
                                             {.first = 65000, .last = 65535, .unknown = BP_UNKNOWN_SKIP}};

static bp_schema other_schema(void) {
    return (bp_schema){.abi = BP_ABI,
                       .name = "other",
                       .types = other_types,
                       .type_count = 2,
                       .ranges = other_ranges,
                       .range_count = 3};
}

static bp_err try_new(const bp_schema *schema) {
    const bp_schema *const schemas[] = {&bpt_frame_schema, schema};
    bp_type_map *map = NULL;
    const bp_err err = bp_type_map_new(schemas, 2, &map);
    ck_assert((err == BP_OK) == (map != NULL));
    bp_type_map_free_take(&map);
    ck_assert_ptr_null(map);
    return err;
}

START_TEST(every_type_of_every_schema_is_found) {
    const bp_schema other = other_schema();
    const bp_schema *const schemas[] = {&bpt_frame_schema, &other};
    bp_type_map *map = NULL;
    bpt_ok(bp_type_map_new(schemas, 2, &map));
    size_t found = 0;
    for (uint32_t type = 0; type <= UINT16_MAX; type++) {
        uint32_t schema_ix = 99;
        const bp_type_info *info = bp_type_map_find(map, (uint16_t)type, &schema_ix);
        if (info == NULL) continue;
        found++;
        ck_assert_uint_eq(info->type, type);
        ck_assert_uint_eq(schema_ix, type == 1500 || type == 65535 ? 1 : 0);
    }
    ck_assert_uint_eq(found, bpt_frame_schema.type_count + 2);
    bp_type_map_free_take(&map);
}
END_TEST

START_TEST(two_schemas_may_not_share_a_type) { bpt_err(try_new(&bpt_frame_schema), BP_ERR_SCHEMA); }
END_TEST

START_TEST(another_abi_is_refused) {
    bp_schema other = other_schema();
    other.abi = BP_ABI + 1;
    bpt_err(try_new(&other), BP_ERR_ABI);
}
END_TEST

START_TEST(tables_that_no_compiler_writes_are_refused) {
    static const bp_type_info control[] = {{.name = "Control", .type = 0}};
    static const bp_type_info inverted[] = {{.name = "Inverted", .type = 1, .accept_min = 2, .accept_max = 1}};
    static const bp_type_range backwards[] = {{.first = 2, .last = 1}};
    bp_schema other = other_schema();
    bpt_ok(try_new(&other));
    other.type_count = 1;
    other.types = control;
    bpt_err(try_new(&other), BP_ERR_ARGUMENT);
    other.types = inverted;
    bpt_err(try_new(&other), BP_ERR_ARGUMENT);
    other = other_schema();
    other.ranges = backwards;
    other.range_count = 1;
    bpt_err(try_new(&other), BP_ERR_ARGUMENT);
}
END_TEST

static int allocs_left;

static void *limited_alloc(size_t size) { return allocs_left-- > 0 ? bpi_os_system.alloc(size) : NULL; }

START_TEST(every_failing_allocation_is_an_ordinary_error) {
    const bp_schema other = other_schema();
    bpi_os.alloc = limited_alloc;
    for (int i = 0; i < 2; i++) {
        allocs_left = i;
        bpt_err(try_new(&other), BP_ERR_NO_MEMORY);
    }
    allocs_left = 2;
    bpt_ok(try_new(&other));
    bpi_os = bpi_os_system;
}
END_TEST

START_TEST(the_most_tolerant_range_decides) {
    const bp_schema other = other_schema();
    const bp_schema *const schemas[] = {&bpt_frame_schema, &other};
    bp_type_map *map = NULL;
    bp_pool *pool = NULL;
    bp_reader reader;
    bp_frame frame;
    bpt_wire wire = {0};
    bpt_ok(bp_type_map_new(schemas, 2, &map));
    bpt_ok(bp_heap_pool_new(0, &pool));
    const bp_reader_config config = {.pool = pool, .types = map};
    bp_reader_init(&reader, &config);
    bpt_wire_add(&wire, 3000, 3, 1);
    bpt_wire_add(&wire, 4000, 3, 1);
    bpt_wire_add(&wire, 65001, 3, 1);
    bpt_wire_add(&wire, 4001, 3, 1);
    bp_reader_fed(&reader, (bp_span){wire.data, wire.length}, wire.length);
    bpt_ok(bp_reader_next(&reader, &frame));
    ck_assert_uint_eq(frame.type, 3000);
    bpt_ok(bp_reader_next(&reader, &frame));
    ck_assert_uint_eq(frame.type, 4000);
    ck_assert_ptr_null(frame.info);
    bpt_err(bp_reader_next(&reader, &frame), BP_ERR_FRAME_TYPE);
    ck_assert_uint_eq(reader.skipped_count, 1);
    bp_reader_fini(&reader);
    bpt_wire_free(&wire);
    bp_type_map_free_take(&map);
    bp_pool_release_take(&pool);
}
END_TEST

BPT_SUITE(frame_type_map) {
    BPT_TEST(every_type_of_every_schema_is_found);
    BPT_TEST(two_schemas_may_not_share_a_type);
    BPT_TEST(another_abi_is_refused);
    BPT_TEST(tables_that_no_compiler_writes_are_refused);
    BPT_TEST(every_failing_allocation_is_an_ordinary_error);
    BPT_TEST(the_most_tolerant_range_decides);
}
