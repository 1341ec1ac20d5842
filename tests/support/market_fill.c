#include "tests/support/market_fill.h"

#include <string.h>

/* Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014: a new number for each call. */
static uint64_t next_random(uint64_t *state) {
    uint64_t z = (*state += 0x9E3779B97F4A7C15u);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

/* least .. most; both ends come often, because that is where bugs are. */
static uint32_t random_length(uint64_t *state, uint32_t least, uint32_t most) {
    const uint64_t random = next_random(state);
    if (random % 8 == 0) return least;
    if (random % 8 == 1) return most;
    return least + (uint32_t)((random >> 8) % (most - least + 1));
}

static uint32_t random_text(uint64_t *state, char *text, uint32_t least, uint32_t most) {
    const uint32_t length = random_length(state, least, most);
    const char letter = (char)('a' + next_random(state) % 26);
    memset(text, letter, length);
    text[length] = '\0';
    return length;
}

static void random_bytes(uint64_t *state, void *out, size_t size) {
    const uint64_t random = next_random(state);
    memset(out, (int)(random & 0xFF), size);
}

static void fill_instrument_meta(market_instrument_meta *m, uint64_t *state) {
    m->instrument_id = next_random(state) | 1;
    m->symbol_length =
        (__typeof__(m->symbol_length))random_text(state, m->symbol, 1, MARKET_INSTRUMENT_META_SYMBOL_CAP);
    m->tick_size = next_random(state);
    m->lot_size = (uint32_t)next_random(state);
    m->venue = (uint16_t)next_random(state);
    m->decimals = (uint8_t)(next_random(state) % 19);
}

static void fill_pool_state_update(market_pool_state_update *m, uint64_t *state) {
    random_bytes(state, m->pool, sizeof m->pool);
    m->block_number = next_random(state) | 1;
    m->timestamp = next_random(state);
    random_bytes(state, &m->reserve0, sizeof m->reserve0);
    random_bytes(state, &m->reserve1, sizeof m->reserve1);
    random_bytes(state, &m->sqrt_price, sizeof m->sqrt_price);
    m->has_liquidity = next_random(state) % 2 == 0;
    if (m->has_liquidity) random_bytes(state, &m->liquidity, sizeof m->liquidity);
    m->has_tick = next_random(state) % 2 == 0;
    if (m->has_tick) m->tick = (int32_t)next_random(state);
    m->fee = (uint32_t)(next_random(state) % 10000);
}

static void fill_level(market_level *level, uint64_t *state) {
    level->price = next_random(state);
    level->quantity = next_random(state);
    level->orders = (uint32_t)next_random(state);
}

static void fill_order_book(market_order_book *m, uint64_t *state) {
    m->instrument_id = next_random(state) | 1;
    m->sequence = next_random(state);
    m->timestamp = next_random(state);
    m->bids_count = (__typeof__(m->bids_count))random_length(state, 0, MARKET_ORDER_BOOK_BIDS_CAP);
    m->asks_count = (__typeof__(m->asks_count))random_length(state, 0, MARKET_ORDER_BOOK_ASKS_CAP);
    for (uint32_t i = 0; i < m->bids_count; i++) fill_level(&m->bids[i], state);
    for (uint32_t i = 0; i < m->asks_count; i++) fill_level(&m->asks[i], state);
}

static void fill_arbitrage_signal(market_arbitrage_signal *m, uint64_t *state) {
    m->signal_id = next_random(state) | 1;
    m->path_count = (__typeof__(m->path_count))random_length(state, 1, MARKET_ARBITRAGE_SIGNAL_PATH_CAP);
    for (uint32_t i = 0; i < m->path_count; i++) random_bytes(state, m->path[i], sizeof m->path[i]);
    random_bytes(state, &m->expected_profit, sizeof m->expected_profit);
    m->gas_estimate = next_random(state);
    m->side = next_random(state) % 2 == 0 ? MARKET_SIDE_BUY : MARKET_SIDE_SELL;
    m->confidence = (float)(next_random(state) % 1000) / 1000.0f;
}

static void fill_book_ack(market_book_ack *m, uint64_t *state) { m->sequence = next_random(state); }

static void fill_host_sample(market_host_sample *m, uint64_t *state) {
    m->timestamp = next_random(state);
    m->memory_total = next_random(state);
    m->memory_available = next_random(state);
    for (size_t i = 0; i < sizeof m->load / sizeof m->load[0]; i++) m->load[i] = (float)(next_random(state) % 64);
    m->process_count = (uint32_t)next_random(state);
}

static void fill_process_sample(market_process_sample *m, uint64_t *state) {
    m->timestamp = next_random(state);
    m->pid = (uint32_t)next_random(state) | 1;
    m->name_length = (__typeof__(m->name_length))random_text(state, m->name, 0, MARKET_PROCESS_SAMPLE_NAME_CAP);
    m->has_command = next_random(state) % 2 == 0;
    if (m->has_command) {
        m->command_length =
            (__typeof__(m->command_length))random_text(state, m->command, 0, MARKET_PROCESS_SAMPLE_COMMAND_CAP);
    }
    m->has_read_bytes = next_random(state) % 2 == 0;
    if (m->has_read_bytes) m->read_bytes = next_random(state);
}

static void fill_log_line(market_log_line *m, uint64_t *state) {
    m->timestamp = next_random(state);
    m->severity = MARKET_SEVERITY_WARNING;
    m->source_length = (__typeof__(m->source_length))random_text(state, m->source, 0, MARKET_LOG_LINE_SOURCE_CAP);
    m->text_length = (__typeof__(m->text_length))random_text(state, m->text, 0, MARKET_LOG_LINE_TEXT_CAP);
}

static void fill_snapshot(market_snapshot *m, uint64_t *state) {
    static const uint8_t content[MARKET_SNAPSHOT_CONTENT_CAP];
    m->timestamp = next_random(state);
    m->name_length = (__typeof__(m->name_length))random_text(state, m->name, 1, MARKET_SNAPSHOT_NAME_CAP);
    m->content = content;
    m->content_length = random_length(state, 0, MARKET_SNAPSHOT_CONTENT_CAP);
}

/* One packer and one checker for each message of the contract; a message without a filler does not compile. */
#define DEFINE(name, NAME)                                                                                            \
    static bp_err pack_##name(bp_pool *pool, uint64_t seed, bp_buf **out) {                                           \
        static _Thread_local market_##name message;                                                                   \
        message = (market_##name)MARKET_##NAME##_INIT;                                                                \
        fill_##name(&message, &seed);                                                                                 \
        return market_##name##_pack(pool, &message, out);                                                             \
    }                                                                                                                 \
    static bp_err check_##name(const uint8_t *value, size_t length) {                                                 \
        market_##name##_view view;                                                                                    \
        const bp_err err = market_##name##_view_init(value, length, &view);                                           \
        return err == BP_OK ? market_##name##_validate(&view, NULL) : err;                                            \
    }
MARKET_MESSAGES(DEFINE)

static const struct {
    uint16_t type;
    bp_err (*pack)(bp_pool *pool, uint64_t seed, bp_buf **out);
    bp_err (*check)(const uint8_t *value, size_t length);
} messages[] = {
#define ENTRY(name, NAME) {MARKET_##NAME##_TYPE, pack_##name, check_##name},
    MARKET_MESSAGES(ENTRY)
#undef ENTRY
};

uint16_t bpt_market_type(int message_ix) { return messages[message_ix].type; }

bp_err bpt_market_pack(bp_pool *pool, int message_ix, uint64_t seed, bp_buf **out) {
    return messages[message_ix].pack(pool, seed, out);
}

bp_err bpt_market_check(int message_ix, const uint8_t *value, size_t length) {
    return messages[message_ix].check(value, length);
}
