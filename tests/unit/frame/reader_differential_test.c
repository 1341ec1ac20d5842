#define _DEFAULT_SOURCE
/* The reader held against a parser of the plainest sort, over every short stream and every way to cut it: what it hands
 * on, when, and where it fails must not depend on how the bytes came, on where memory was missing, or on who else
 * shares its budget. All bytes that it is lent, and all buffers, end and begin at pages that nobody may touch. */
#include "base/os.h"
#include "tests/support/frame_schema.h"
#include "tests/support/suite.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* ---- a schema of short frames of every sort --------------------------------------------------------------------- */

enum { EMPTY = 1, SHORT = 2, SECRET = 3, LONG = 4, SKIPPED = 10, DELIVERED = 20, REFUSED = 30, CONTROL = 0 };
enum { UNKNOWN_MAX = 3, CONTROL_MAX = 2, LONG_MAX = 6000 };

static const bp_type_info types[] = {
    {.name = "Empty", .type = EMPTY, .accept_min = 0, .accept_max = 0},
    {.name = "Short", .type = SHORT, .accept_min = 1, .accept_max = 3},
    {.name = "Secret", .type = SECRET, .accept_min = 0, .accept_max = 2, .is_sensitive = true},
    {.name = "Long", .type = LONG, .accept_min = 4, .accept_max = LONG_MAX},
};
static const bp_type_range ranges[] = {
    {.first = SKIPPED, .last = SKIPPED, .unknown = BP_UNKNOWN_SKIP},
    {.first = DELIVERED, .last = DELIVERED, .unknown = BP_UNKNOWN_DELIVER},
};
static const bp_schema schema = {.abi = BP_ABI,
                                 .name = "sorts",
                                 .types = types,
                                 .type_count = sizeof types / sizeof types[0],
                                 .ranges = ranges,
                                 .range_count = sizeof ranges / sizeof ranges[0]};

/* ---- the plain parser ------------------------------------------------------------------------------------------- */

enum { FRAMES_MAX = 64 };

typedef struct plain_frame {
    size_t start, end; /* places in the stream; the end may lie beyond it */
    uint16_t type;
    uint32_t length;
} plain_frame;

typedef struct plain {
    plain_frame frames[FRAMES_MAX]; /* the last one may be cut */
    size_t count;
    bp_err err;     /* why the stream cannot be followed: BP_OK, it can be */
    size_t fail_at; /* the end of the header that says so */
} plain;

static bp_err judge_head(uint16_t type, uint32_t length) {
    switch (type) {
    case EMPTY: return length > 0 ? BP_ERR_FRAME_LONG : BP_OK;
    case SHORT: return length < 1 ? BP_ERR_FRAME_SHORT : length > 3 ? BP_ERR_FRAME_LONG : BP_OK;
    case SECRET: return length > 2 ? BP_ERR_FRAME_LONG : BP_OK;
    case LONG: return length < 4 ? BP_ERR_FRAME_SHORT : length > LONG_MAX ? BP_ERR_FRAME_LONG : BP_OK;
    case SKIPPED:
    case DELIVERED: return length > UNKNOWN_MAX ? BP_ERR_FRAME_LONG : BP_OK;
    case CONTROL: return length > CONTROL_MAX ? BP_ERR_FRAME_LONG : BP_OK;
    default: return BP_ERR_FRAME_TYPE;
    }
}

static void parse(const uint8_t *bytes, size_t count, plain *out) {
    size_t at = 0;
    *out = (plain){.fail_at = SIZE_MAX};
    while (count - at >= BP_FRAME_HEADER_SIZE) {
        const uint8_t *head = bytes + at;
        const uint16_t type = (uint16_t)(head[0] | head[1] << 8);
        const uint32_t length =
            (uint32_t)head[2] | (uint32_t)head[3] << 8 | (uint32_t)head[4] << 16 | (uint32_t)head[5] << 24;
        out->err = judge_head(type, length);
        out->fail_at = out->err == BP_OK ? SIZE_MAX : at + BP_FRAME_HEADER_SIZE;
        if (out->err != BP_OK) break;
        bpt_must(out->count < FRAMES_MAX - 1);
        out->frames[out->count++] = (plain_frame){at, at + BP_FRAME_HEADER_SIZE + length, type, length};
        at += BP_FRAME_HEADER_SIZE + length;
        if (at >= count) return;
    }
    /* What is left has a cut header, or a bad one. */
    if (at < count) out->frames[out->count++] = (plain_frame){at, SIZE_MAX, 0, 0};
}

/* Frames that are whole when so many bytes have come; and of those, the ones that are skipped. */
static size_t whole_by(const plain *p, size_t place, size_t *skipped) {
    size_t whole = 0;
    *skipped = 0;
    for (size_t i = 0; i < p->count && p->frames[i].end <= place; i++) {
        whole++;
        *skipped += p->frames[i].type == SKIPPED;
    }
    return whole;
}

static bool is_inside(const plain *p, size_t place) {
    for (size_t i = 0; i < p->count; i++) {
        if (p->frames[i].start < place && place < p->frames[i].end) return true;
    }
    return false;
}

/* ---- memory between pages that nobody may touch ----------------------------------------------------------------- */

enum { BLOCKS = 16, READERS = 3, BLOCK_SIZE = 8192 };

typedef struct block {
    uint8_t *data; /* BLOCK_SIZE bytes */
    bp_wrap wrap;
    bool is_taken;
} block;

static block blocks[BLOCKS];

/* What was mapped before stays: a process has so few blocks. */
static void make_blocks(void) {
    const size_t page = bpi_os_page_size();
    for (int i = 0; i < BLOCKS; i++) {
        uint8_t *at = mmap(NULL, BLOCK_SIZE + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        ck_assert_ptr_ne(at, MAP_FAILED);
        ck_assert_int_eq(mprotect(at + page, BLOCK_SIZE, PROT_READ | PROT_WRITE), 0);
        blocks[i].data = at + page;
    }
}

static block *take_block(void) {
    for (int i = 0; i < BLOCKS; i++) {
        if (blocks[i].is_taken) continue;
        blocks[i].is_taken = true;
        return &blocks[i];
    }
    ck_abort_msg("more buffers than any run needs");
    return NULL;
}

/* Where length bytes lie at the block's end, or at its beginning. */
static uint8_t *place_in(const block *b, size_t length, bool is_at_end) {
    bpt_must(length <= BLOCK_SIZE);
    return is_at_end ? b->data + BLOCK_SIZE - length : b->data;
}

static void give_block_back(bp_wrap *wrap, uint8_t *data, void *user) {
    block *const b = user;
    (void)wrap, (void)data;
    memset(b->data, 0xEE, BLOCK_SIZE); /* who still reads there reads this */
    b->is_taken = false;
}

static bp_buf *guarded_buf(uint32_t length, bool is_at_end) {
    block *const b = take_block();
    return bp_buf_wrap(&b->wrap, place_in(b, length, is_at_end), length, give_block_back, b);
}

/* ---- one reader and its stream ---------------------------------------------------------------------------------- */

/* How a run gets its memory. */
typedef enum source {
    PLENTY,
    GIVEN, /* the pool has none; each cut frame gets a guarded buffer */
    FLAKY  /* one acquire fails, which the test chooses, and is made again */
} source;

typedef struct run {
    const uint8_t *bytes;
    size_t count, place; /* bytes in all, and fed */
    const plain *expected;
    source from;
    bool is_keeping, is_at_end; /* frames are kept; memory lies at the end of its block */
    block *landing;
    bp_reader reader;
    size_t seen, taken; /* frames of the model passed; of those, handed on */
    bp_err answer;      /* the reader's last */
} run;

/* Every acquire from the roomy pool asks the system for memory once. */
static uint64_t asked, refused_call;

static void *ask(size_t size) { return asked++ == refused_call ? NULL : bpi_os_system.alloc_raw(size); }

static void refuse(uint64_t call) {
    asked = 0;
    refused_call = call;
}

static bp_pool *roomy_pool, *dry_pool;
static bp_type_map *map;
static bp_reader_budget budget;
static bp_reader_config roomy, dry;

enum { DRY_LIMIT = 65536, HOGS = 128 };
static bp_buf *hogs[HOGS]; /* what makes a pool dry */

static void make_dry_pool(void) {
    size_t count = 0;
    bpt_ok(bp_heap_pool_new(DRY_LIMIT, &dry_pool));
    for (uint32_t size = DRY_LIMIT / 2; size != 0; size /= 2) {
        while (bp_pool_acquire(dry_pool, size, &hogs[count]) == BP_OK) ck_assert_uint_lt(++count, HOGS);
    }
}

static void set_up(void) {
    static const bp_schema *const schemas[] = {&schema};
    make_blocks();
    refuse(UINT64_MAX);
    bpi_os.alloc_raw = ask;
    bpt_ok(bp_heap_pool_new(0, &roomy_pool));
    make_dry_pool();
    bpt_ok(bp_type_map_new(schemas, 1, &map));
    roomy = (bp_reader_config){
        .pool = roomy_pool, .types = map, .unknown_max = UNKNOWN_MAX, .control_max = CONTROL_MAX, .budget = &budget};
    dry = roomy;
    dry.pool = dry_pool;
}

static void tear_down(void) {
    for (int i = 0; i < HOGS; i++) bp_buf_release_take(&hogs[i]);
    ck_assert_uint_eq(bpt_pool_in_use(roomy_pool) + bpt_pool_in_use(dry_pool), 0);
    bp_type_map_free_take(&map);
    bp_pool_release_take(&roomy_pool);
    bp_pool_release_take(&dry_pool);
    bpi_os = bpi_os_system;
}

static void begin(run *r, const bpt_wire *wire, const plain *expected, source from) {
    *r = (run){.bytes = wire->data, .count = wire->length, .expected = expected, .from = from, .answer = BP_MORE};
    r->landing = take_block();
    bp_reader_init(&r->reader, from == GIVEN ? &dry : &roomy);
}

static void end(run *r) {
    bp_reader_fini(&r->reader);
    r->landing->is_taken = false;
}

static void keep(run *r, bp_frame *frame) {
    bp_buf *kept = NULL, *again = NULL;
    const uint8_t *value = r->bytes + r->expected->frames[r->seen].start + BP_FRAME_HEADER_SIZE;
    if (frame->buf == NULL && frame->length != 0) {
        kept = guarded_buf(frame->length, r->is_at_end);
        bpt_must(bp_reader_keep_in(&r->reader, frame, kept) == BP_OK);
    } else {
        bp_err err = bp_reader_keep(&r->reader, frame, &kept);
        if (err != BP_OK) return; /* an empty frame, too, needs a buffer to be kept */
    }
    bpt_must(bp_reader_keep(&r->reader, frame, &again) == BP_ERR_ARGUMENT && again == NULL);
    bpt_must(bp_buf_length(kept) == frame->length && bp_buf_type(kept) == frame->type);
    bpt_must(frame->length == 0 || memcmp(bp_buf_data(kept), value, frame->length) == 0);
    bp_buf_release(kept);
}

/* The frame that was handed on is the model's next, and came as soon as it was whole. */
static void check_frame(run *r, bp_frame *frame) {
    const plain *p = r->expected;
    while (r->seen < p->count && p->frames[r->seen].type == SKIPPED) r->seen++;
    bpt_must(r->seen < p->count && p->frames[r->seen].end <= r->place);
    const plain_frame *own = &p->frames[r->seen];
    bpt_must(frame->type == own->type && frame->length == own->length);
    bpt_must(frame->length == 0 ||
             memcmp(frame->value, r->bytes + own->start + BP_FRAME_HEADER_SIZE, own->length) == 0);
    bpt_must((frame->info == NULL) == (own->type == CONTROL || own->type == DELIVERED));
    bpt_must(frame->buf == NULL || (bp_buf_data(frame->buf) == frame->value && bp_buf_type(frame->buf) == own->type));
    if (r->is_keeping) keep(r, frame);
    r->seen++;
    r->taken++;
}

/* Makes up for a refused buffer; false: only another reader can. */
static bool find_memory(run *r) {
    const uint32_t wanted = bp_reader_wants(&r->reader);
    bpt_must(bp_reader_is_inside(&r->reader) && bp_reader_end(&r->reader) == BP_ERR_LOST);
    if (bp_reader_is_over_budget(&r->reader)) return false;
    bpt_must(wanted != 0 && r->from != PLENTY);
    if (r->from == FLAKY) return true;
    bp_buf *buf = guarded_buf(wanted, r->is_at_end), *late;
    bpt_must(bp_reader_give_take(&r->reader, &buf) == BP_OK && buf == NULL && bp_reader_wants(&r->reader) == 0);
    late = guarded_buf(wanted, r->is_at_end);
    bpt_must(bp_reader_give_take(&r->reader, &late) == BP_ERR_ARGUMENT && late != NULL);
    bp_buf_release(late);
    return true;
}

/* Takes frames until the reader has no more, or is over its budget (then it answers BP_ERR_LIMIT). */
static void drain(run *r) {
    for (;;) {
        bp_frame frame;
        r->answer = bp_reader_next(&r->reader, &frame);
        if (r->answer == BP_OK)
            check_frame(r, &frame);
        else if ((r->answer != BP_ERR_LIMIT && r->answer != BP_ERR_NO_MEMORY) || !find_memory(r))
            return;
    }
}

/* Bytes of secret values that lay in the chunk are gone from it, and nothing else was touched. */
static void check_chunk(const run *r, const uint8_t *chunk, size_t count) {
    size_t ix = 0;
    for (size_t i = 0; i < count; i++) {
        const size_t at = r->place - count + i;
        while (ix < r->expected->count && r->expected->frames[ix].end <= at) ix++;
        const plain_frame *own = ix < r->expected->count ? &r->expected->frames[ix] : NULL;
        const bool is_secret = own != NULL && own->type == SECRET && at >= own->start + BP_FRAME_HEADER_SIZE;
        bpt_must(chunk[i] == (is_secret ? 0 : r->bytes[at]));
    }
}

/* What of the budget a reader holds that has come so far. */
static uint64_t charged_at(const plain *p, size_t place) {
    for (size_t i = 0; i < p->count; i++) {
        const plain_frame *f = &p->frames[i];
        if (f->start + BP_FRAME_HEADER_SIZE > place || f->end <= place || f->end == SIZE_MAX) continue;
        return f->type == SKIPPED || f->type == CONTROL ? 0 : f->length;
    }
    return 0;
}

/* Everything that must hold once all that came is taken. */
static void check_state(run *r) {
    size_t skipped;
    const size_t whole = whole_by(r->expected, r->place, &skipped);
    const bool has_failed = r->place >= r->expected->fail_at;
    bpt_must(r->taken == whole - skipped && r->reader.frame_count == r->taken && r->reader.skipped_count == skipped);
    bpt_must(r->answer == (has_failed ? r->expected->err : BP_MORE));
    if (has_failed) {
        bpt_must(bp_reader_end(&r->reader) == r->expected->err);
        bpt_must(bp_reader_space(&r->reader, r->landing->data, BLOCK_SIZE).length == 0);
    } else {
        const bool is_in = is_inside(r->expected, r->place);
        bpt_must(bp_reader_is_inside(&r->reader) == is_in);
        bpt_must(bp_reader_end(&r->reader) == (is_in ? BP_ERR_LOST : BP_OK));
        bpt_must(bp_reader_wants(&r->reader) == 0);
    }
}

/* Feeds as many of count bytes as the reader takes at once; the chunk holds them and not a byte more. */
static void feed(run *r, size_t count, uint8_t **chunk, size_t *fed) {
    enum { LEAST = 64 /* what a landing chunk has at least; the reader only passes the number on */ };
    *chunk = place_in(r->landing, count, r->is_at_end);
    const bp_span space = bp_reader_space(&r->reader, *chunk, count < LEAST ? LEAST : count);
    if (space.data != *chunk) *chunk = NULL;
    *fed = count < space.length ? count : space.length;
    bpt_must(*fed != 0);
    memcpy(space.data, r->bytes + r->place, *fed);
    bp_reader_fed(&r->reader, space, *fed);
    r->place += *fed;
}

static void feed_all(run *r, size_t count) {
    while (count != 0 && r->answer == BP_MORE) {
        uint8_t *chunk;
        size_t fed;
        feed(r, count, &chunk, &fed);
        drain(r);
        check_state(r);
        if (r->answer == BP_MORE) {
            bpt_must(budget.used == charged_at(r->expected, r->place));
            if (chunk != NULL) check_chunk(r, chunk, fed);
        }
        if (chunk != NULL) memset(chunk, 0xA5, fed); /* no pointer into it may be left */
        count -= fed;
    }
}

/* ---- every short stream ----------------------------------------------------------------------------------------- */

typedef struct token {
    uint16_t type;
    uint32_t length;
} token;

/* Each sort at its shortest and longest, and one beyond. */
static const token tokens[] = {
    {EMPTY, 0},   {SHORT, 1},     {SHORT, 3},     {SECRET, 0},    {SECRET, 2},  {LONG, 4},
    {SKIPPED, 0}, {SKIPPED, 3},   {DELIVERED, 0}, {DELIVERED, 3}, {CONTROL, 0}, {CONTROL, 2},
    {EMPTY, 1},   {SHORT, 0},     {SHORT, 4},     {SECRET, 3},    {LONG, 3},    {SKIPPED, 4},
    {CONTROL, 3}, {DELIVERED, 4}, {REFUSED, 0},   {REFUSED, 300}, {SHORT, 256}, {LONG, UINT32_MAX},
};
enum { TOKENS = sizeof tokens / sizeof tokens[0], VALUE_MAX = 4 /* bytes of a frame that is refused */ };

static void add_token(bpt_wire *wire, const token *t, uint64_t seed) {
    if (t->length <= VALUE_MAX)
        bpt_wire_add(wire, t->type, t->length, seed);
    else
        bpt_wire_add_head(wire, t->type, t->length);
}

/* The stream in three parts, some of them perhaps empty. */
static void run_parts(const bpt_wire *wire, const plain *expected, source from, size_t first, size_t second) {
    run r;
    begin(&r, wire, expected, from);
    r.is_at_end = (first + second) % 2 == 0;
    r.is_keeping = first % 3 == 0;
    feed_all(&r, first);
    feed_all(&r, second - first);
    feed_all(&r, wire->length - second);
    end(&r);
    bpt_must(budget.used == 0);
}

static void run_bytes(const bpt_wire *wire, const plain *expected, source from, bool is_keeping) {
    run r;
    begin(&r, wire, expected, from);
    r.is_keeping = r.is_at_end = is_keeping;
    for (size_t i = 0; i < wire->length; i++) feed_all(&r, 1);
    end(&r);
    bpt_must(budget.used == 0);
}

/* Each acquire of the run fails once. */
static void run_flaky(const bpt_wire *wire, const plain *expected) {
    for (uint64_t call = 0, calls = 1; call < calls; call++) {
        refuse(call);
        run_bytes(wire, expected, FLAKY, call % 2 == 1);
        calls = asked;
    }
    refuse(UINT64_MAX);
}

/* The reader is let go, or told to drop what it has, at every place. */
static void run_abandoned(const bpt_wire *wire, const plain *expected) {
    for (size_t place = 0; place <= wire->length; place++) {
        run r;
        begin(&r, wire, expected, place % 2 == 0 ? PLENTY : GIVEN);
        feed_all(&r, place);
        if (place % 3 == 0) bp_reader_drop(&r.reader);
        end(&r);
        bpt_must(budget.used == 0);
    }
}

static void run_every_way(const bpt_wire *wire) {
    plain expected;
    parse(wire->data, wire->length, &expected);
    for (size_t first = 0; first <= wire->length; first++) {
        for (size_t second = first; second <= wire->length; second++) {
            run_parts(wire, &expected, (first + second) % 3 == 0 ? GIVEN : PLENTY, first, second);
        }
    }
    run_bytes(wire, &expected, PLENTY, false);
    run_bytes(wire, &expected, GIVEN, true);
    run_flaky(wire, &expected);
    run_abandoned(wire, &expected);
}

/* All streams of one and two frames, cut into three at every two places. */
START_TEST(every_short_stream_in_every_three_parts) {
    for (int second = -1; second < TOKENS; second++) {
        bpt_wire wire = {0};
        add_token(&wire, &tokens[_i], 1);
        if (second >= 0) add_token(&wire, &tokens[second], 2);
        run_every_way(&wire);
        bpt_wire_free(&wire);
    }
}
END_TEST

/* All streams of three frames, whole, byte by byte, and cut into two at every place. */
START_TEST(every_stream_of_three_frames_in_every_two_parts) {
    for (int rest = 0; rest < TOKENS * TOKENS; rest++) {
        plain expected;
        bpt_wire wire = {0};
        add_token(&wire, &tokens[_i], 1);
        add_token(&wire, &tokens[rest % TOKENS], 2);
        add_token(&wire, &tokens[rest / TOKENS], 3);
        parse(wire.data, wire.length, &expected);
        for (size_t cut = 0; cut <= wire.length; cut++) {
            run_parts(&wire, &expected, cut % 2 == 0 ? PLENTY : GIVEN, cut, wire.length);
        }
        run_bytes(&wire, &expected, rest % 2 == 0 ? PLENTY : GIVEN, rest % 3 == 0);
        bpt_wire_free(&wire);
    }
}
END_TEST

/* ---- long streams, and readers that share a budget -------------------------------------------------------------- */

enum { STREAM_FRAMES = 40, GOOD_TOKENS = 12 };

static void add_random_stream(bpt_wire *wire, bpt_random *random) {
    for (int i = 0; i < STREAM_FRAMES; i++) {
        const token *t = &tokens[bpt_random_below(random, GOOD_TOKENS)];
        const bool is_long = t->type == LONG;
        bpt_wire_add(wire, t->type, is_long ? 4 + bpt_random_below(random, LONG_MAX - 3) : t->length,
                     bpt_random_next(random));
    }
    if (bpt_random_below(random, 4) == 0) add_token(wire, &tokens[bpt_random_below(random, TOKENS)], 9);
}

/* One step of a reader: more bytes, or another try for what was refused. */
static void step(run *r, bpt_random *random) {
    if (r->answer == BP_MORE) {
        const size_t left = r->count - r->place;
        size_t count = 1 + bpt_random_below(random, 1u << bpt_random_below(random, 13)), fed;
        uint8_t *chunk;
        if (count > left) count = left;
        feed(r, count, &chunk, &fed);
    }
    drain(r);
    if (r->answer != BP_ERR_LIMIT) check_state(r);
}

static bool is_done(const run *r) { return r->answer == BP_MORE ? r->place == r->count : r->answer != BP_ERR_LIMIT; }

/* What all of them have charged together is what their cut frames are long, and more than the limit for one alone. */
static void check_budget(run *const *runs) {
    uint64_t charged = 0, longest = 0;
    for (int i = 0; i < READERS; i++) {
        if (runs[i]->answer != BP_MORE) continue;
        const uint64_t own = charged_at(runs[i]->expected, runs[i]->place);
        charged += own;
        longest = own > longest ? own : longest;
    }
    bpt_must(budget.used == charged);
    bpt_must(charged <= budget.limit || charged == longest);
}

START_TEST(readers_on_one_budget_lose_nothing) {
    bpt_random random = {(uint64_t)_i + 1};
    budget = (bp_reader_budget){.limit = 5000};
    for (unsigned long round = 0; round < 4 + bpt_scaled(60); round++) {
        static plain expected[READERS];
        run runs[READERS], *all[READERS];
        bpt_wire wires[READERS] = {{0}};
        int left = READERS;
        size_t refused = 0;
        for (int i = 0; i < READERS; i++) {
            add_random_stream(&wires[i], &random);
            parse(wires[i].data, wires[i].length, &expected[i]);
            begin(&runs[i], &wires[i], &expected[i], bpt_random_below(&random, 2) == 0 ? PLENTY : GIVEN);
            runs[i].is_keeping = bpt_random_below(&random, 2) == 0;
            all[i] = &runs[i];
        }
        while (left != 0) {
            run *r = &runs[bpt_random_below(&random, READERS)];
            if (is_done(r)) continue;
            step(r, &random);
            refused = r->answer == BP_ERR_LIMIT ? refused + 1 : 0;
            bpt_must(refused < 1000); /* somebody can always go on */
            check_budget(all);
            if (is_done(r)) left--;
        }
        for (int i = 0; i < READERS; i++) end(&runs[i]);
        for (int i = 0; i < READERS; i++) bpt_wire_free(&wires[i]);
        bpt_must(budget.used == 0);
    }
}
END_TEST

BPT_SUITE(frame_reader_differential) {
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    BPT_LOOP_TEST(every_short_stream_in_every_three_parts, 0, TOKENS);
    BPT_LOOP_TEST(every_stream_of_three_frames_in_every_two_parts, 0, TOKENS);
    BPT_LOOP_TEST(readers_on_one_budget_lose_nothing, 0, 4);
}
