/* Statistics as text: what the table says, and that the exposition is one that a strict reader of the format takes. */
#include "tests/support/pool_support.h"
#include "tests/support/suite.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { TEXT_MAX = 65536 };
static char text[TEXT_MAX];

static uint64_t clock_ms;
static uint64_t now(void *unused) { return unused == NULL ? clock_ms : 0; }

static bp_pool *named_pool(const char *name, uint64_t limit) {
    const bp_pool_config config = {
        .name = name, .classes = bpt_classes, .class_count = BPT_CLASS_COUNT, .memory_limit = limit, .now_ms = now};
    bp_pool *pool = NULL;
    bpt_ok(bp_pool_new(&config, &pool));
    return pool;
}

/* 7 of 8 buffers of one class came back, one of another is out, an exact one as well. */
static void use(bp_pool *pool, bp_buf **held) {
    for (int i = 0; i < 8; i++) {
        held[0] = bpt_acquire(pool, 100);
        if (i < 7) bp_buf_release(held[0]);
    }
    held[1] = bpt_acquire(pool, BPT_LARGEST_CLASS);
    held[2] = bpt_acquire(pool, BPT_LARGEST_CLASS + 1);
}

static void release_all(bp_buf **held) {
    for (int i = 0; i < 3; i++) bp_buf_release(held[i]);
}

/* ---- the table ---- */

/* The line of the text that begins with what, after spaces; the test fails when there is none. */
static const char *line_of(const char *what) {
    for (const char *at = text; *at != '\0'; at += strcspn(at, "\n") + 1) {
        const char *begin = at + strspn(at, " ");
        if (strncmp(begin, what, strlen(what)) == 0) return begin;
    }
    ck_abort_msg("no line '%s' in\n%s", what, text);
    return NULL;
}

static uint64_t number_at(const char *line, size_t column) {
    for (; column > 0; column--) {
        line += strcspn(line, " \n");
        line += strspn(line, " ");
    }
    return strtoull(line, NULL, 10);
}

START_TEST(the_table_says_what_the_statistics_say) {
    bp_pool *pool = named_pool("table", 0);
    bp_buf *held[3];
    use(pool, held);
    const size_t length = bp_pool_stats_text(pool, text, sizeof text);
    ck_assert_uint_eq(length, strlen(text));
    const bp_pool_stats stats = bpt_stats(pool);
    ck_assert(strncmp(text, "table\n", 6) == 0);
    ck_assert_uint_eq(number_at(line_of("committed bytes"), 2), stats.committed_bytes);
    ck_assert_uint_eq(number_at(line_of("exact in use"), 3), 1);
    ck_assert_uint_eq(number_at(line_of("memory limit bytes"), 3), 0);
    const char *names[] = {"64 ", "128 ", "1024 ", "4096 ", "262144 "};
    for (uint32_t ix = 0; ix < BPT_CLASS_COUNT; ix++) {
        const bp_class_stats one = bpt_class_stats(pool, ix);
        const char *line = line_of(names[ix]);
        size_t column = 1;
#define BP_CLASS_STAT(name, unit, kind, merge, what) ck_assert_uint_eq(number_at(line, column++), one.name);
#include "bufpool/stats.def"
    }
    size_t column = 1;
#define BP_CLASS_STAT(name, unit, kind, merge, what)                                                                   \
    ck_assert_uint_eq(number_at(line_of("total"), column++), stats.total.name);
#include "bufpool/stats.def"
    release_all(held);
    bpt_pool_end_take(&pool);
}
END_TEST

START_TEST(every_line_of_the_table_is_as_long) {
    bp_pool *pool = named_pool("table", 0);
    bp_buf *held[3];
    use(pool, held);
    (void)bp_pool_stats_text(pool, text, sizeof text);
    const char *at = strstr(text, "\n\n") + 2;
    const size_t length = strcspn(at, "\n");
    unsigned line_count = 0;
    for (; *at != '\0'; at += length + 1) {
        ck_assert_uint_eq(strcspn(at, "\n"), length);
        line_count++;
    }
    ck_assert_uint_eq(line_count, BPT_CLASS_COUNT + 2);
    release_all(held);
    bpt_pool_end_take(&pool);
}
END_TEST

START_TEST(the_hit_rate_is_rounded_down) {
    bp_pool *pool = named_pool("table", 0);
    for (int i = 0; i < 30000; i++) bp_buf_release(bpt_acquire(pool, 64));
    for (int i = 0; i < 3; i++) bp_buf_release(bpt_acquire(pool, 128));
    (void)bp_pool_stats_text(pool, text, sizeof text);
    ck_assert_ptr_nonnull(strstr(line_of("64 "), " 99.99 %\n"));
    ck_assert_ptr_nonnull(strstr(line_of("128 "), " 66.66 %\n"));
    ck_assert_ptr_nonnull(strstr(line_of("1024 "), " -\n"));
    bpt_pool_end_take(&pool);
}
END_TEST

/* Numbers that no pool will ever have, of a pool of one's own whose total is not what its classes say. */
static bp_err no_acquire(bp_pool *pool, uint64_t size, bp_buf **out) {
    (void)pool, (void)size, (void)out;
    return BP_ERR_NO_MEMORY;
}
static void no_release(bp_pool *pool, bp_buf *buf) { (void)pool, (void)buf; }
static void no_free(bp_pool *pool) { (void)pool; }
static void huge_stats(bp_pool *pool, bp_pool_stats *out) {
    (void)pool;
    out->name = "huge";
    out->class_count = 1;
    out->committed_bytes = UINT64_MAX;
    out->total = (bp_class_stats){.acquires = 3, .misses = 7};
}
static bp_err huge_class_stats(bp_pool *pool, uint32_t class_ix, bp_class_stats *out) {
    (void)pool;
    *out = (bp_class_stats){.size = UINT32_MAX, .acquires = UINT64_MAX, .misses = 1, .slow = UINT64_MAX};
    return class_ix == 0 ? BP_OK : BP_ERR_ARGUMENT;
}
static const bp_pool_table huge_table = {
    .table_bytes = sizeof(bp_pool_table),
    .acquire = no_acquire,
    .release = no_release,
    .free = no_free,
    .stats = huge_stats,
    .class_stats = huge_class_stats,
};

START_TEST(huge_and_contradicting_numbers_are_printed) {
    bp_pool pool, *last = &pool;
    bpt_ok(bp_pool_init(&pool, &huge_table));
    ck_assert_uint_lt(bp_pool_stats_text(&pool, text, sizeof text), 5000);
    ck_assert_uint_eq(number_at(line_of("committed bytes"), 2), UINT64_MAX);
    ck_assert_uint_eq(number_at(line_of("4294967295 "), 1), UINT64_MAX);
    ck_assert_ptr_nonnull(strstr(line_of("4294967295 "), " 100.00 %"));
    ck_assert_ptr_nonnull(strstr(line_of("total "), " -\n"));
    bp_pool_release_take(&last);
}
END_TEST

START_TEST(a_pool_without_classes_has_no_lines_for_them) {
    bp_pool *pool = NULL;
    bpt_ok(bp_heap_pool_new(1000, &pool));
    (void)bp_pool_stats_text(pool, text, sizeof text);
    ck_assert_uint_eq(number_at(line_of("memory limit bytes"), 3), 1000);
    ck_assert_ptr_null(strstr(text, "class size"));
    ck_assert_ptr_null(strstr(text, "\n\n"));
    bpt_pool_end_take(&pool);
}
END_TEST

static size_t write_text(bp_pool *pool, char *out, size_t size) { return bp_pool_stats_text(pool, out, size); }
static size_t write_prometheus(bp_pool *pool, char *out, size_t size) {
    return bp_pool_stats_prometheus(&pool, 1, out, size);
}

START_TEST(both_end_where_the_room_ends) {
    size_t (*const writes[])(bp_pool *, char *, size_t) = {write_text, write_prometheus};
    bp_pool *pool = named_pool("room", 0);
    const size_t length = writes[_i](pool, text, sizeof text);
    ck_assert_uint_eq(writes[_i](pool, NULL, 0), length);
    for (size_t size = 1; size < length + 3; size += size < 200 ? 1 : 97) {
        char *part = malloc(size + 1); /* of that size, so that a checker sees what lies beyond */
        ck_assert_ptr_nonnull(part);
        part[size] = 'x';
        ck_assert_uint_eq(writes[_i](pool, part, size), length);
        ck_assert_uint_eq(strlen(part), size - 1 < length ? size - 1 : length);
        ck_assert(strncmp(part, text, strlen(part)) == 0 && part[size] == 'x');
        free(part);
    }
    bpt_pool_end_take(&pool);
}
END_TEST

/* ---- a strict reader of the exposition format 0.0.4 ---- */

enum { SAMPLES_MAX = 2000, METRIC_MAX = 80 };

typedef struct sample {
    char metric[METRIC_MAX], pool[200], class[24];
    char value[32];
} sample;

typedef struct family {
    char metric[METRIC_MAX];
    bool is_counter;
} family;

static sample samples[SAMPLES_MAX];
static family families[200];
static unsigned sample_count, family_count;

static const char *expect(const char *at, const char *what) {
    ck_assert_msg(strncmp(at, what, strlen(what)) == 0, "'%s' is not at '%.60s'", what, at);
    return at + strlen(what);
}

/* [a-zA-Z_:][a-zA-Z0-9_:]* */
static const char *read_metric(const char *at, char *out) {
    size_t length = 0;
    ck_assert(!isdigit((unsigned char)*at));
    while (isalnum((unsigned char)at[length]) || at[length] == '_' || at[length] == ':') length++;
    ck_assert(length > 0 && length < METRIC_MAX);
    memcpy(out, at, length);
    out[length] = '\0';
    return at + length;
}

/* A label's value between quotes, with its escapes undone. */
static const char *read_quoted(const char *at, char *out, size_t size) {
    size_t length = 0;
    for (at = expect(at, "\""); *at != '"'; at++) {
        ck_assert(*at != '\n' && *at != '\0' && length + 1 < size);
        if (*at != '\\') {
            out[length++] = *at;
            continue;
        }
        at++;
        ck_assert(*at == '\\' || *at == '"' || *at == 'n');
        out[length++] = *at == 'n' ? '\n' : *at;
    }
    out[length] = '\0';
    return at + 1;
}

/* # HELP metric text, then # TYPE metric counter|gauge; each metric once. */
static const char *read_family(const char *at) {
    family *one = &families[family_count++];
    char again[METRIC_MAX];
    at = expect(read_metric(expect(at, "# HELP "), one->metric), " ");
    for (; *at != '\n'; at++) ck_assert(*at != '\\' && *at != '\0');
    at = expect(read_metric(expect(at, "\n# TYPE "), again), " ");
    ck_assert_str_eq(again, one->metric);
    one->is_counter = *at == 'c';
    for (unsigned i = 0; i + 1 < family_count; i++) ck_assert_str_ne(families[i].metric, one->metric);
    const size_t length = strlen(one->metric);
    ck_assert_int_eq(length > 6 && strcmp(one->metric + length - 6, "_total") == 0, one->is_counter);
    return expect(at, one->is_counter ? "counter\n" : "gauge\n");
}

/* metric{pool="",class=""} number; of the family that is being read, and no two the same. */
static const char *read_sample(const char *at) {
    sample *one = &samples[sample_count++];
    ck_assert_uint_lt(sample_count, SAMPLES_MAX);
    at = read_metric(at, one->metric);
    ck_assert_str_eq(one->metric, families[family_count - 1].metric);
    at = read_quoted(expect(at, "{pool="), one->pool, sizeof one->pool);
    one->class[0] = '\0';
    if (*at == ',') at = read_quoted(expect(at, ",class="), one->class, sizeof one->class);
    at = expect(at, "} ");
    const size_t length = strspn(at, "0123456789.");
    ck_assert(length > 0 && length < sizeof one->value);
    memcpy(one->value, at, length);
    one->value[length] = '\0';
    for (unsigned i = 0; i + 1 < sample_count; i++) {
        ck_assert(strcmp(samples[i].metric, one->metric) != 0 || strcmp(samples[i].pool, one->pool) != 0 ||
                  strcmp(samples[i].class, one->class) != 0);
    }
    return expect(at + length, "\n");
}

static void read_exposition(bp_pool *const *pools, size_t pool_count) {
    const size_t length = bp_pool_stats_prometheus(pools, pool_count, text, sizeof text);
    ck_assert_uint_lt(length, sizeof text);
    ck_assert_uint_eq(length, strlen(text));
    sample_count = family_count = 0;
    for (const char *at = text; *at != '\0';) at = *at == '#' ? read_family(at) : read_sample(at);
}

static const char *value_of(const char *metric, const char *pool, const char *class) {
    for (unsigned i = 0; i < sample_count; i++) {
        const sample *one = &samples[i];
        if (strcmp(one->metric, metric) == 0 && strcmp(one->pool, pool) == 0 && strcmp(one->class, class) == 0) {
            return one->value;
        }
    }
    ck_abort_msg("no %s of %s, %s", metric, pool, class);
    return NULL;
}

/* The metric of a row, found out in another way than the library's. */
static const char *metric_of(const char *prefix, const char *name, const char *unit, bool is_counter) {
    static char metric[METRIC_MAX * 2];
    char stem[METRIC_MAX];
    snprintf(stem, sizeof stem, "%s", name);
    char *ms = strstr(stem, "_ms");
    if (ms != NULL) *ms = '\0';
    snprintf(metric, sizeof metric, "bufpool_%s%s%s%s%s", prefix, stem, ms != NULL ? "_seconds" : "",
             strcmp(unit, "bytes") == 0 && strstr(name, "_bytes") == NULL ? "_bytes" : "", is_counter ? "_total" : "");
    return metric;
}

static void must_say(const char *metric, const char *pool, const char *class, const char *unit, uint64_t value) {
    char expected[40];
    const bool is_ms = strcmp(unit, "ms") == 0;
    snprintf(expected, sizeof expected, is_ms ? "%" PRIu64 ".%03" PRIu64 : "%" PRIu64, is_ms ? value / 1000 : value,
             value % 1000);
    ck_assert_str_eq(value_of(metric, pool, class), expected);
}

enum { GAUGE, COUNTER };

START_TEST(every_statistic_is_exposed) {
    bp_pool *pool = named_pool("busy", 0);
    bp_buf *held[3];
    use(pool, held);
    const bp_pool_stats stats = bpt_stats(pool);
    read_exposition(&pool, 1);
    unsigned expected_count = 0;
#define BP_POOL_STAT(name, unit, kind, what)                                                                           \
    must_say(metric_of("", #name, unit, kind == COUNTER), "busy", "", unit, stats.name);                               \
    expected_count++;
#include "bufpool/stats.def"
    for (uint32_t ix = 0; ix < BPT_CLASS_COUNT; ix++) {
        const bp_class_stats one = bpt_class_stats(pool, ix);
        char class[24];
        snprintf(class, sizeof class, "%u", (unsigned)one.size);
#define BP_CLASS_STAT(name, unit, kind, merge, what)                                                                   \
    must_say(metric_of("class_", #name, unit, kind == COUNTER), "busy", class, unit, one.name);                        \
    expected_count++;
#include "bufpool/stats.def"
    }
    ck_assert_uint_eq(sample_count, expected_count);
    release_all(held);
    bpt_pool_end_take(&pool);
}
END_TEST

static void ignore_end(bp_reservation *reservation) { (void)reservation; }

START_TEST(times_are_in_seconds) {
    bp_pool *pool = named_pool("waited", 4 * BPT_LARGEST_CLASS);
    bp_buf *all[8];
    bp_reservation wish = {.size = BPT_LARGEST_CLASS, .on_done = ignore_end};
    int count = 0;
    clock_ms = 1000;
    while (bp_pool_acquire(pool, BPT_LARGEST_CLASS, &all[count]) == BP_OK) count++;
    bpt_err(bp_pool_reserve(pool, &wish), BP_PENDING);
    clock_ms = 1000 + 61007;
    read_exposition(&pool, 1);
    ck_assert_str_eq(value_of("bufpool_oldest_wait_seconds", "waited", ""), "61.007");
    ck_assert_str_eq(value_of("bufpool_waiting", "waited", ""), "1");
    ck_assert(bp_pool_cancel(pool, &wish));
    for (int i = 0; i < count; i++) bp_buf_release(all[i]);
    bpt_pool_end_take(&pool);
}
END_TEST

START_TEST(pools_are_told_apart_whatever_their_names) {
    const char *odd = "q\"uo\\te\nline \xC3\xBC";
    bp_pool *pools[4] = {named_pool(odd, 0), NULL, named_pool("bad \xFF utf-8", 0), NULL};
    bpt_ok(bp_heap_pool_new(0, &pools[1]));
    bpt_ok(bp_heap_pool_new(4000, &pools[3]));
    read_exposition(pools, 4);
    ck_assert_str_eq(value_of("bufpool_memory_limit_bytes", odd, ""), "0");
    ck_assert_str_eq(value_of("bufpool_class_idle", odd, "64"), "0");
    ck_assert_str_eq(value_of("bufpool_memory_limit_bytes", "bad ? utf-8", ""), "0");
    ck_assert_str_eq(value_of("bufpool_memory_limit_bytes", "heap", ""), "0");
    ck_assert_str_eq(value_of("bufpool_memory_limit_bytes", "heap#2", ""), "4000");
    for (int i = 0; i < 4; i++) bpt_pool_end_take(&pools[i]);
}
END_TEST

START_TEST(no_pools_are_an_exposition_too) {
    read_exposition(NULL, 0);
    ck_assert_uint_eq(sample_count, 0);
    ck_assert_uint_gt(family_count, 10);
}
END_TEST

BPT_SUITE(pool_stats_print) {
    BPT_TEST(the_table_says_what_the_statistics_say);
    BPT_TEST(every_line_of_the_table_is_as_long);
    BPT_TEST(the_hit_rate_is_rounded_down);
    BPT_TEST(huge_and_contradicting_numbers_are_printed);
    BPT_TEST(a_pool_without_classes_has_no_lines_for_them);
    BPT_LOOP_TEST(both_end_where_the_room_ends, 0, 2);
    BPT_TEST(every_statistic_is_exposed);
    BPT_TEST(times_are_in_seconds);
    BPT_TEST(pools_are_told_apart_whatever_their_names);
    BPT_TEST(no_pools_are_an_exposition_too);
}
