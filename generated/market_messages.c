/* Written by bufpoolc from contracts.yaml, do not edit: codecs of schema market. */
#include "market_messages.h"

#include "bufpool/detail/print.h"

#include <assert.h>
#include <string.h>

#if BP_ABI != 6 || MARKET_CONTRACT_HASH != 0x3dd784690afe4034u
#error "generated files of different contracts or library versions are mixed: run bufpoolc again and recompile"
#endif

/* A rule is broken: says where. */
BPI_UNUSED BPI_COLD static bp_err broken(const char *name, const char **field) {
    if (field != NULL) *field = name;
    return BP_ERR_RULE;
}

BPI_UNUSED static void side_print_(bpi_printer *printer, market_side value) {
    const char *const name = market_side_name(value);
    if (name != NULL) bpi_print_text(printer, bpi_text(name, strlen(name)));
    if (name == NULL) bpi_print_unsigned(printer, value);
}

BPI_UNUSED static void severity_print_(bpi_printer *printer, market_severity value) {
    const char *const name = market_severity_name(value);
    if (name != NULL) bpi_print_text(printer, bpi_text(name, strlen(name)));
    if (name == NULL) bpi_print_unsigned(printer, value);
}

/* ---- Level */

BPI_UNUSED static inline void level_store_(uint8_t *at, const market_level *in) {
    bpi_store_u64(at + 0, in->price);
    bpi_store_u64(at + 8, in->quantity);
    bpi_store_u32(at + 16, in->orders);
    bpi_store_u32(at + 20, 0);
}

BPI_UNUSED static void level_print_(bpi_printer *printer, const market_level *in) {
    bpi_print_raw(printer, "{");
    bpi_print_name(printer, "price");
    bpi_print_unsigned(printer, in->price);
    bpi_print_name(printer, "quantity");
    bpi_print_unsigned(printer, in->quantity);
    bpi_print_name(printer, "orders");
    bpi_print_unsigned(printer, in->orders);
    bpi_print_raw(printer, "}");
}

/* ---- InstrumentMeta */

static_assert(MARKET_INSTRUMENT_META_MAX <= MARKET_INSTRUMENT_META_CLASS, "InstrumentMeta fits its size class");
static_assert(MARKET_INSTRUMENT_META_MAX == 48,
              "InstrumentMeta is as large as its constants say when it is full");

/* What the message takes, and whether it can be encoded. */
static inline bp_err instrument_meta_measure_(const market_instrument_meta *in, uint32_t *out) {
    bpi_flaws limits = {0, 0};
    bpi_flaws *const flaws = &limits;
    uint32_t size = MARKET_INSTRUMENT_META_BLOCK;
    *out = 0;
    (void)bpi_bounded(in->symbol_length, MARKET_INSTRUMENT_META_SYMBOL_CAP, flaws);
    const bp_err err = bpi_flaws_err(flaws);
    if (BP_UNLIKELY(err != BP_OK)) return err;
    *out = size;
    return BP_OK;
}

static inline void instrument_meta_store_block_(uint8_t *at, const market_instrument_meta *in) {
    bpi_store_u8(at + 22, in->symbol_length);
    bpi_store_u64(at + 0, in->instrument_id);
    bpi_store_u64(at + 8, in->tick_size);
    bpi_store_u32(at + 16, in->lot_size);
    bpi_store_u16(at + 20, in->venue);
    bpi_store_slack(at + 23, (const uint8_t *)in->symbol, in->symbol_length, 24);
    bpi_store_u8(at + 47, in->decimals);
}

bp_err market_instrument_meta_size(const market_instrument_meta *message, uint32_t *out) {
    return instrument_meta_measure_(message, out);
}

bp_err market_instrument_meta_encode(const market_instrument_meta *restrict message, uint8_t *restrict out,
                                     size_t capacity, uint32_t *restrict length) {
    uint32_t size;
    bp_err err = instrument_meta_measure_(message, &size);
    if (BP_UNLIKELY(err == BP_OK && size > capacity)) err = BP_ERR_SPACE;
    if (BP_UNLIKELY(err != BP_OK)) return bpi_refuse(err, length, sizeof *length);
    instrument_meta_store_block_(out, message);
    *length = size;
    return BP_OK;
}

static inline void instrument_meta_load_all_(const market_instrument_meta_view *restrict view,
                                             market_instrument_meta *restrict out) {
    out->instrument_id = market_instrument_meta_get_instrument_id(view);
    out->symbol_length = bpi_load_u8(view->value + 22);
    memcpy(out->symbol, view->value + 23, 24); /* with its slack of zeros */
    out->symbol[24] = '\0';
    out->tick_size = market_instrument_meta_get_tick_size(view);
    out->lot_size = market_instrument_meta_get_lot_size(view);
    out->venue = market_instrument_meta_get_venue(view);
    out->decimals = market_instrument_meta_get_decimals(view);
}

void market_instrument_meta_load(const market_instrument_meta_view *view, market_instrument_meta *out) {
    instrument_meta_load_all_(view, out);
}

bp_err market_instrument_meta_decode(const uint8_t *value, size_t length, market_instrument_meta *out) {
    market_instrument_meta_view view;
    const bp_err err = market_instrument_meta_view_init(value, length, &view);
    if (BP_UNLIKELY(err != BP_OK)) return bpi_refuse(err, out, sizeof *out);
    instrument_meta_load_all_(&view, out);
    return BP_OK;
}

/* Names the first field that breaks a rule. */
static inline bp_err instrument_meta_rules_(const market_instrument_meta_view *view, const char **field) {
    {
        const uint64_t value = market_instrument_meta_get_instrument_id(view);
        if (value == 0) return broken("instrument_id", field);
    }
    {
        const bp_text text = market_instrument_meta_get_symbol(view);
        if (text.length == 0) return broken("symbol", field);
        if (!bpi_utf8_padded_is_valid((const uint8_t *)text.data, text.length, 24)) return broken("symbol", field);
    }
    {
        const uint8_t value = market_instrument_meta_get_decimals(view);
        if (value > 36u) return broken("decimals", field);
    }
    return BP_OK;
}

bp_err market_instrument_meta_validate(const market_instrument_meta_view *view, const char **field) {
    if (field != NULL) *field = NULL;
    return instrument_meta_rules_(view, field);
}

bp_err market_instrument_meta_decode_valid(const uint8_t *value, size_t length, market_instrument_meta *out,
                                           const char **field) {
    market_instrument_meta_view view;
    bp_err err = market_instrument_meta_view_init(value, length, &view);
    if (field != NULL) *field = NULL;
    if (BP_LIKELY(err == BP_OK)) err = instrument_meta_rules_(&view, field);
    if (BP_UNLIKELY(err != BP_OK)) return bpi_refuse(err, out, sizeof *out);
    instrument_meta_load_all_(&view, out);
    return BP_OK;
}

int market_instrument_meta_print(const market_instrument_meta_view *view, char *out, size_t size) {
    bpi_printer state = {out, size, 0, '\0'};
    bpi_printer *const printer = &state;
    (void)view;
    bpi_print_raw(printer, "{");
    bpi_print_name(printer, "instrument_id");
    bpi_print_unsigned(printer, market_instrument_meta_get_instrument_id(view));
    bpi_print_name(printer, "symbol");
    bpi_print_text(printer, market_instrument_meta_get_symbol(view));
    bpi_print_name(printer, "tick_size");
    bpi_print_unsigned(printer, market_instrument_meta_get_tick_size(view));
    bpi_print_name(printer, "lot_size");
    bpi_print_unsigned(printer, market_instrument_meta_get_lot_size(view));
    bpi_print_name(printer, "venue");
    bpi_print_unsigned(printer, market_instrument_meta_get_venue(view));
    bpi_print_name(printer, "decimals");
    bpi_print_unsigned(printer, market_instrument_meta_get_decimals(view));
    bpi_print_raw(printer, "}");
    return bpi_print_end(printer);
}

/* ---- PoolStateUpdate */

static_assert(MARKET_POOL_STATE_UPDATE_MAX <= MARKET_POOL_STATE_UPDATE_CLASS, "PoolStateUpdate fits its size class");
static_assert(MARKET_POOL_STATE_UPDATE_MAX == 157,
              "PoolStateUpdate is as large as its constants say when it is full");

/* What the message takes, and whether it can be encoded. */
static inline bp_err pool_state_update_measure_(const market_pool_state_update *in, uint32_t *out) {
    uint32_t size = MARKET_POOL_STATE_UPDATE_BLOCK;
    *out = 0;
    (void)in;
    *out = size;
    return BP_OK;
}

static inline void pool_state_update_store_block_(uint8_t *at, const market_pool_state_update *in) {
    bpi_store_u8(at + 136, (uint8_t)((in->has_liquidity ? UINT8_C(0x1) : 0) | (in->has_tick ? UINT8_C(0x2) : 0)));
    bpi_store_u64(at + 0, in->block_number);
    bpi_store_u64(at + 8, in->timestamp);
    bpi_store_u256(at + 16, in->reserve0);
    bpi_store_u256(at + 48, in->reserve1);
    bpi_store_u256(at + 80, in->sqrt_price);
    if (in->has_liquidity) {
        bpi_store_u128(at + 112, in->liquidity);
    } else {
        memset(at + 112, 0, 16);
    }
    if (in->has_tick) {
        bpi_store_i32(at + 128, in->tick);
    } else {
        memset(at + 128, 0, 4);
    }
    bpi_store_u32(at + 132, in->fee);
    memcpy(at + 137, in->pool, 20);
}

bp_err market_pool_state_update_size(const market_pool_state_update *message, uint32_t *out) {
    return pool_state_update_measure_(message, out);
}

bp_err market_pool_state_update_encode(const market_pool_state_update *message, uint8_t *out,
                                       size_t capacity, uint32_t *length) {
    uint32_t size;
    bp_err err = pool_state_update_measure_(message, &size);
    if (BP_UNLIKELY(err == BP_OK && size > capacity)) err = BP_ERR_SPACE;
    if (BP_UNLIKELY(err != BP_OK)) return bpi_refuse(err, length, sizeof *length);
    pool_state_update_store_block_(out, message);
    *length = size;
    return BP_OK;
}

static inline void pool_state_update_load_all_(const market_pool_state_update_view *restrict view,
                                               market_pool_state_update *restrict out) {
    memcpy(out->pool, view->value + 137, 20);
    out->block_number = market_pool_state_update_get_block_number(view);
    out->timestamp = market_pool_state_update_get_timestamp(view);
    bpi_fetch_u256(view->value + 16, &out->reserve0);
    bpi_fetch_u256(view->value + 48, &out->reserve1);
    bpi_fetch_u256(view->value + 80, &out->sqrt_price);
    out->has_liquidity = market_pool_state_update_has_liquidity(view);
    bpi_fetch_u128(view->value + 112, &out->liquidity);
    out->has_tick = market_pool_state_update_has_tick(view);
    out->tick = market_pool_state_update_get_tick(view);
    out->fee = market_pool_state_update_get_fee(view);
}

void market_pool_state_update_load(const market_pool_state_update_view *view, market_pool_state_update *out) {
    pool_state_update_load_all_(view, out);
}

bp_err market_pool_state_update_decode(const uint8_t *value, size_t length, market_pool_state_update *out) {
    market_pool_state_update_view view;
    const bp_err err = market_pool_state_update_view_init(value, length, &view);
    if (BP_UNLIKELY(err != BP_OK)) return bpi_refuse(err, out, sizeof *out);
    pool_state_update_load_all_(&view, out);
    return BP_OK;
}

/* Names the first field that breaks a rule. */
static inline bp_err pool_state_update_rules_(const market_pool_state_update_view *view, const char **field) {
    {
        const uint64_t value = market_pool_state_update_get_block_number(view);
        if (value == 0) return broken("block_number", field);
    }
    {
        const uint32_t value = market_pool_state_update_get_fee(view);
        if (value > 1000000u) return broken("fee", field);
    }
    return BP_OK;
}

bp_err market_pool_state_update_validate(const market_pool_state_update_view *view, const char **field) {
    if (field != NULL) *field = NULL;
    return pool_state_update_rules_(view, field);
}

bp_err market_pool_state_update_decode_valid(const uint8_t *value, size_t length, market_pool_state_update *out,
                                             const char **field) {
    market_pool_state_update_view view;
    bp_err err = market_pool_state_update_view_init(value, length, &view);
    if (field != NULL) *field = NULL;
    if (BP_LIKELY(err == BP_OK)) err = pool_state_update_rules_(&view, field);
    if (BP_UNLIKELY(err != BP_OK)) return bpi_refuse(err, out, sizeof *out);
    pool_state_update_load_all_(&view, out);
    return BP_OK;
}

int market_pool_state_update_print(const market_pool_state_update_view *view, char *out, size_t size) {
    bpi_printer state = {out, size, 0, '\0'};
    bpi_printer *const printer = &state;
    (void)view;
    bpi_print_raw(printer, "{");
    bpi_print_name(printer, "pool");
    bpi_print_bytes(printer, market_pool_state_update_get_pool(view));
    bpi_print_name(printer, "block_number");
    bpi_print_unsigned(printer, market_pool_state_update_get_block_number(view));
    bpi_print_name(printer, "timestamp");
    bpi_print_unsigned(printer, market_pool_state_update_get_timestamp(view));
    bpi_print_name(printer, "reserve0");
    bpi_print_u256(printer, market_pool_state_update_get_reserve0(view));
    bpi_print_name(printer, "reserve1");
    bpi_print_u256(printer, market_pool_state_update_get_reserve1(view));
    bpi_print_name(printer, "sqrt_price");
    bpi_print_u256(printer, market_pool_state_update_get_sqrt_price(view));
    if (market_pool_state_update_has_liquidity(view)) {
        bpi_print_name(printer, "liquidity");
        bpi_print_u128(printer, market_pool_state_update_get_liquidity(view));
    }
    if (market_pool_state_update_has_tick(view)) {
        bpi_print_name(printer, "tick");
        bpi_print_signed(printer, market_pool_state_update_get_tick(view));
    }
    bpi_print_name(printer, "fee");
    bpi_print_unsigned(printer, market_pool_state_update_get_fee(view));
    bpi_print_raw(printer, "}");
    return bpi_print_end(printer);
}

/* ---- OrderBook */

static_assert(MARKET_ORDER_BOOK_MAX <= MARKET_ORDER_BOOK_CLASS, "OrderBook fits its size class");
static_assert(MARKET_ORDER_BOOK_MAX == BPI_ALIGNED(BPI_ALIGNED(30, 8) + MARKET_ORDER_BOOK_BIDS_CAP * 24, 8) + MARKET_ORDER_BOOK_ASKS_CAP * 24,
              "OrderBook is as large as its constants say when it is full");

/* What the message takes, and whether it can be encoded. */
static inline bp_err order_book_measure_(const market_order_book *in, uint32_t *out) {
    uint32_t size = MARKET_ORDER_BOOK_BLOCK;
    *out = 0;
    const uint32_t bids_count = in->bids_count;
    if (BP_UNLIKELY(bids_count > MARKET_ORDER_BOOK_BIDS_CAP)) return BP_ERR_BOUND;
    if (bids_count != 0) size = bpi_aligned(size, 8) + bids_count * 24;
    const uint32_t asks_count = in->asks_count;
    if (BP_UNLIKELY(asks_count > MARKET_ORDER_BOOK_ASKS_CAP)) return BP_ERR_BOUND;
    if (asks_count != 0) size = bpi_aligned(size, 8) + asks_count * 24;
    *out = size;
    return BP_OK;
}

static inline void order_book_store_block_(uint8_t *at, const market_order_book *in) {
    bpi_store_u16(at + 24, MARKET_ORDER_BOOK_BLOCK);
    bpi_store_u64(at + 0, in->instrument_id);
    bpi_store_u64(at + 8, in->sequence);
    bpi_store_u64(at + 16, in->timestamp);
    bpi_store_u16(at + 26, in->bids_count);
    bpi_store_u16(at + 28, in->asks_count);
}

static inline void order_book_store_tail_(uint8_t *out, const market_order_book *in) {
    uint32_t end = MARKET_ORDER_BOOK_BLOCK;
    {
        const uint32_t count = in->bids_count;
        if (count != 0) end = bpi_store_padding(out, end, 8);
        for (uint32_t i = 0; i < count; i++) level_store_(out + end + (size_t)i * 24, &in->bids[i]);
        end += count * 24;
    }
    {
        const uint32_t count = in->asks_count;
        if (count != 0) end = bpi_store_padding(out, end, 8);
        for (uint32_t i = 0; i < count; i++) level_store_(out + end + (size_t)i * 24, &in->asks[i]);
    }
}

bp_err market_order_book_size(const market_order_book *message, uint32_t *out) {
    return order_book_measure_(message, out);
}

bp_err market_order_book_encode(const market_order_book *restrict message, uint8_t *restrict out,
                                size_t capacity, uint32_t *restrict length) {
    uint32_t size;
    bp_err err = order_book_measure_(message, &size);
    if (BP_UNLIKELY(err == BP_OK && size > capacity)) err = BP_ERR_SPACE;
    if (BP_UNLIKELY(err != BP_OK)) return bpi_refuse(err, length, sizeof *length);
    order_book_store_block_(out, message);
    order_book_store_tail_(out, message);
    *length = size;
    return BP_OK;
}

/* Finds the block and the tails; checks everything but the elements of vectors. */
static inline bp_err market_order_book_open_(const uint8_t *value, size_t length, market_order_book_view *view,
                                             bpi_flaws *flaws) {
    if (BP_UNLIKELY(length < MARKET_ORDER_BOOK_ACCEPT_MIN)) return BP_ERR_TRUNCATED;
    if (BP_UNLIKELY(length > MARKET_ORDER_BOOK_ACCEPT_MAX)) return BP_ERR_BOUND;
    const uint32_t block_length = bpi_load_u16(value + 24);
    if (BP_UNLIKELY(block_length > length)) return BP_ERR_TRUNCATED;
    if (BP_UNLIKELY(block_length < MARKET_ORDER_BOOK_BLOCK)) return BP_ERR_MALFORMED;
    view->value = value;
    view->block_length = block_length;
    uint32_t end = block_length;
    view->bids_count = bpi_load_u16(value + 26);
    if (BP_UNLIKELY(view->bids_count > MARKET_ORDER_BOOK_BIDS_CAP)) return BP_ERR_BOUND;
    const uint64_t bids_bytes = (uint64_t)view->bids_count * 24;
    if (!bpi_tail_find(value, (uint32_t)length, 8, bids_bytes, &end, &view->bids_at, flaws)) {
        return BP_ERR_TRUNCATED;
    }
    view->asks_count = bpi_load_u16(value + 28);
    if (BP_UNLIKELY(view->asks_count > MARKET_ORDER_BOOK_ASKS_CAP)) return BP_ERR_BOUND;
    const uint64_t asks_bytes = (uint64_t)view->asks_count * 24;
    if (!bpi_tail_find(value, (uint32_t)length, 8, asks_bytes, &end, &view->asks_at, flaws)) {
        return BP_ERR_TRUNCATED;
    }
    if (BP_UNLIKELY(end != length && block_length <= MARKET_ORDER_BOOK_BLOCK)) return BP_ERR_MALFORMED;
    return BP_OK;
}

/* Makes a view; expanded where a message is decoded, so that the view need not lie in memory. */
BPI_INLINE bp_err order_book_view_(const uint8_t *value, size_t length, market_order_book_view *out) {
    bpi_flaws flaws = {0, 0};
    bp_err err = market_order_book_open_(value, length, out, &flaws);
    if (BP_LIKELY(err == BP_OK)) {
        flaws.malformed |= bpi_strided_u32(value + out->bids_at + 20, 24, out->bids_count);
    }
    if (BP_LIKELY(err == BP_OK)) {
        flaws.malformed |= bpi_strided_u32(value + out->asks_at + 20, 24, out->asks_count);
    }
    if (BP_LIKELY(err == BP_OK)) err = bpi_flaws_err(&flaws);
    if (BP_UNLIKELY(err != BP_OK)) memset(out, 0, sizeof *out);
    return err;
}

bp_err market_order_book_view_init(const uint8_t *value, size_t length, market_order_book_view *out) {
    return order_book_view_(value, length, out);
}

static inline void order_book_load_all_(const market_order_book_view *restrict view,
                                        market_order_book *restrict out) {
    out->instrument_id = market_order_book_get_instrument_id(view);
    out->sequence = market_order_book_get_sequence(view);
    out->timestamp = market_order_book_get_timestamp(view);
    out->bids_count = (uint16_t)view->bids_count;
    if (MARKET_LEVEL_IS_FLAT_) {
        bpi_copy_many(out->bids, view->value + view->bids_at, (size_t)view->bids_count * 24);
    } else {
        for (uint32_t i = 0; i < view->bids_count; i++) {
            market_level_load_(view->value + view->bids_at + (size_t)i * 24, &out->bids[i]);
        }
    }
    out->asks_count = (uint16_t)view->asks_count;
    if (MARKET_LEVEL_IS_FLAT_) {
        bpi_copy_many(out->asks, view->value + view->asks_at, (size_t)view->asks_count * 24);
    } else {
        for (uint32_t i = 0; i < view->asks_count; i++) {
            market_level_load_(view->value + view->asks_at + (size_t)i * 24, &out->asks[i]);
        }
    }
}

void market_order_book_load(const market_order_book_view *view, market_order_book *out) {
    order_book_load_all_(view, out);
}

bp_err market_order_book_decode(const uint8_t *value, size_t length, market_order_book *out) {
    market_order_book_view view;
    const bp_err err = order_book_view_(value, length, &view);
    if (BP_UNLIKELY(err != BP_OK)) return bpi_refuse(err, out, sizeof *out);
    order_book_load_all_(&view, out);
    return BP_OK;
}

/* Names the first field that breaks a rule. */
static inline bp_err order_book_rules_(const market_order_book_view *view, const char **field) {
    {
        const uint64_t value = market_order_book_get_instrument_id(view);
        if (value == 0) return broken("instrument_id", field);
    }
    return BP_OK;
}

bp_err market_order_book_validate(const market_order_book_view *view, const char **field) {
    if (field != NULL) *field = NULL;
    return order_book_rules_(view, field);
}

bp_err market_order_book_decode_valid(const uint8_t *value, size_t length, market_order_book *out,
                                      const char **field) {
    market_order_book_view view;
    bp_err err = market_order_book_view_init(value, length, &view);
    if (field != NULL) *field = NULL;
    if (BP_LIKELY(err == BP_OK)) err = order_book_rules_(&view, field);
    if (BP_UNLIKELY(err != BP_OK)) return bpi_refuse(err, out, sizeof *out);
    order_book_load_all_(&view, out);
    return BP_OK;
}

int market_order_book_print(const market_order_book_view *view, char *out, size_t size) {
    bpi_printer state = {out, size, 0, '\0'};
    bpi_printer *const printer = &state;
    (void)view;
    bpi_print_raw(printer, "{");
    bpi_print_name(printer, "instrument_id");
    bpi_print_unsigned(printer, market_order_book_get_instrument_id(view));
    bpi_print_name(printer, "sequence");
    bpi_print_unsigned(printer, market_order_book_get_sequence(view));
    bpi_print_name(printer, "timestamp");
    bpi_print_unsigned(printer, market_order_book_get_timestamp(view));
    bpi_print_name(printer, "bids");
    bpi_print_raw(printer, "[");
    for (uint32_t i = 0; i < market_order_book_bids_count(view); i++) {
        if (i != 0) bpi_print_raw(printer, ",");
        const market_level item = market_order_book_bids_at(view, i);
        level_print_(printer, &item);
    }
    bpi_print_raw(printer, "]");
    bpi_print_name(printer, "asks");
    bpi_print_raw(printer, "[");
    for (uint32_t i = 0; i < market_order_book_asks_count(view); i++) {
        if (i != 0) bpi_print_raw(printer, ",");
        const market_level item = market_order_book_asks_at(view, i);
        level_print_(printer, &item);
    }
    bpi_print_raw(printer, "]");
    bpi_print_raw(printer, "}");
    return bpi_print_end(printer);
}

/* ---- ArbitrageSignal */

static_assert(MARKET_ARBITRAGE_SIGNAL_MAX <= MARKET_ARBITRAGE_SIGNAL_CLASS, "ArbitrageSignal fits its size class");
static_assert(MARKET_ARBITRAGE_SIGNAL_MAX == BPI_ALIGNED(57, 1) + MARKET_ARBITRAGE_SIGNAL_PATH_CAP * 20,
              "ArbitrageSignal is as large as its constants say when it is full");

/* What the message takes, and whether it can be encoded. */
static inline bp_err arbitrage_signal_measure_(const market_arbitrage_signal *in, uint32_t *out) {
    bpi_flaws limits = {0, 0};
    bpi_flaws *const flaws = &limits;
    uint32_t size = MARKET_ARBITRAGE_SIGNAL_BLOCK;
    *out = 0;
    const uint32_t path_count = in->path_count;
    if (BP_UNLIKELY(path_count > MARKET_ARBITRAGE_SIGNAL_PATH_CAP)) return BP_ERR_BOUND;
    size += path_count * 20;
    flaws->malformed |= !market_side_is_known_(in->side);
    const bp_err err = bpi_flaws_err(flaws);
    if (BP_UNLIKELY(err != BP_OK)) return err;
    *out = size;
    return BP_OK;
}

static inline void arbitrage_signal_store_block_(uint8_t *at, const market_arbitrage_signal *in) {
    bpi_store_u16(at + 52, MARKET_ARBITRAGE_SIGNAL_BLOCK);
    bpi_store_u64(at + 0, in->signal_id);
    bpi_store_u256(at + 8, in->expected_profit);
    bpi_store_u64(at + 40, in->gas_estimate);
    bpi_store_f32(at + 48, in->confidence);
    bpi_store_u16(at + 54, in->path_count);
    bpi_store_u8(at + 56, in->side);
}

static inline void arbitrage_signal_store_tail_(uint8_t *out, const market_arbitrage_signal *in) {
    uint32_t end = MARKET_ARBITRAGE_SIGNAL_BLOCK;
    {
        const uint32_t count = in->path_count;
        bpi_copy(out + end, &in->path[0][0], (size_t)count * 20);
    }
}

bp_err market_arbitrage_signal_size(const market_arbitrage_signal *message, uint32_t *out) {
    return arbitrage_signal_measure_(message, out);
}

bp_err market_arbitrage_signal_encode(const market_arbitrage_signal *restrict message, uint8_t *restrict out,
                                      size_t capacity, uint32_t *restrict length) {
    uint32_t size;
    bp_err err = arbitrage_signal_measure_(message, &size);
    if (BP_UNLIKELY(err == BP_OK && size > capacity)) err = BP_ERR_SPACE;
    if (BP_UNLIKELY(err != BP_OK)) return bpi_refuse(err, length, sizeof *length);
    arbitrage_signal_store_block_(out, message);
    arbitrage_signal_store_tail_(out, message);
    *length = size;
    return BP_OK;
}

/* Whether the block's bytes are well-formed. */
static inline void market_arbitrage_signal_check_block_(const market_arbitrage_signal_view *view, bpi_flaws *flaws) {
    flaws->malformed |= !market_side_is_known_(bpi_load_u8(view->value + 56));
}

/* Finds the block and the tails; checks everything but the elements of vectors. */
static inline bp_err market_arbitrage_signal_open_(const uint8_t *value, size_t length, market_arbitrage_signal_view *view,
                                                   bpi_flaws *flaws) {
    if (BP_UNLIKELY(length < MARKET_ARBITRAGE_SIGNAL_ACCEPT_MIN)) return BP_ERR_TRUNCATED;
    if (BP_UNLIKELY(length > MARKET_ARBITRAGE_SIGNAL_ACCEPT_MAX)) return BP_ERR_BOUND;
    const uint32_t block_length = bpi_load_u16(value + 52);
    if (BP_UNLIKELY(block_length > length)) return BP_ERR_TRUNCATED;
    if (BP_UNLIKELY(block_length < MARKET_ARBITRAGE_SIGNAL_BLOCK)) return BP_ERR_MALFORMED;
    view->value = value;
    view->block_length = block_length;
    market_arbitrage_signal_check_block_(view, flaws);
    uint32_t end = block_length;
    view->path_count = bpi_load_u16(value + 54);
    if (BP_UNLIKELY(view->path_count > MARKET_ARBITRAGE_SIGNAL_PATH_CAP)) return BP_ERR_BOUND;
    const uint64_t path_bytes = (uint64_t)view->path_count * 20;
    if (!bpi_tail_find(value, (uint32_t)length, 1, path_bytes, &end, &view->path_at, flaws)) {
        return BP_ERR_TRUNCATED;
    }
    if (BP_UNLIKELY(end != length && block_length <= MARKET_ARBITRAGE_SIGNAL_BLOCK)) return BP_ERR_MALFORMED;
    return BP_OK;
}

/* Makes a view; expanded where a message is decoded, so that the view need not lie in memory. */
BPI_INLINE bp_err arbitrage_signal_view_(const uint8_t *value, size_t length, market_arbitrage_signal_view *out) {
    bpi_flaws flaws = {0, 0};
    bp_err err = market_arbitrage_signal_open_(value, length, out, &flaws);
    if (BP_LIKELY(err == BP_OK)) err = bpi_flaws_err(&flaws);
    if (BP_UNLIKELY(err != BP_OK)) memset(out, 0, sizeof *out);
    return err;
}

bp_err market_arbitrage_signal_view_init(const uint8_t *value, size_t length, market_arbitrage_signal_view *out) {
    return arbitrage_signal_view_(value, length, out);
}

static inline void arbitrage_signal_load_all_(const market_arbitrage_signal_view *restrict view,
                                              market_arbitrage_signal *restrict out) {
    out->signal_id = market_arbitrage_signal_get_signal_id(view);
    out->path_count = (uint16_t)view->path_count;
    bpi_copy(&out->path[0][0], view->value + view->path_at, (size_t)view->path_count * 20);
    bpi_fetch_u256(view->value + 8, &out->expected_profit);
    out->gas_estimate = market_arbitrage_signal_get_gas_estimate(view);
    out->side = market_arbitrage_signal_get_side(view);
    out->confidence = market_arbitrage_signal_get_confidence(view);
}

void market_arbitrage_signal_load(const market_arbitrage_signal_view *view, market_arbitrage_signal *out) {
    arbitrage_signal_load_all_(view, out);
}

bp_err market_arbitrage_signal_decode(const uint8_t *value, size_t length, market_arbitrage_signal *out) {
    market_arbitrage_signal_view view;
    const bp_err err = arbitrage_signal_view_(value, length, &view);
    if (BP_UNLIKELY(err != BP_OK)) return bpi_refuse(err, out, sizeof *out);
    arbitrage_signal_load_all_(&view, out);
    return BP_OK;
}

/* Names the first field that breaks a rule. */
static inline bp_err arbitrage_signal_rules_(const market_arbitrage_signal_view *view, const char **field) {
    {
        const uint64_t value = market_arbitrage_signal_get_signal_id(view);
        if (value == 0) return broken("signal_id", field);
    }
    {
        const uint32_t count = market_arbitrage_signal_path_count(view);
        if (count == 0) return broken("path", field);
    }
    {
        const float value = market_arbitrage_signal_get_confidence(view);
        if (!(value >= 0.0f)) return broken("confidence", field);
        if (!(value <= 1.0f)) return broken("confidence", field);
    }
    return BP_OK;
}

bp_err market_arbitrage_signal_validate(const market_arbitrage_signal_view *view, const char **field) {
    if (field != NULL) *field = NULL;
    return arbitrage_signal_rules_(view, field);
}

bp_err market_arbitrage_signal_decode_valid(const uint8_t *value, size_t length, market_arbitrage_signal *out,
                                            const char **field) {
    market_arbitrage_signal_view view;
    bp_err err = market_arbitrage_signal_view_init(value, length, &view);
    if (field != NULL) *field = NULL;
    if (BP_LIKELY(err == BP_OK)) err = arbitrage_signal_rules_(&view, field);
    if (BP_UNLIKELY(err != BP_OK)) return bpi_refuse(err, out, sizeof *out);
    arbitrage_signal_load_all_(&view, out);
    return BP_OK;
}

int market_arbitrage_signal_print(const market_arbitrage_signal_view *view, char *out, size_t size) {
    bpi_printer state = {out, size, 0, '\0'};
    bpi_printer *const printer = &state;
    (void)view;
    bpi_print_raw(printer, "{");
    bpi_print_name(printer, "signal_id");
    bpi_print_raw(printer, "\"***\"");
    bpi_print_name(printer, "path");
    bpi_print_raw(printer, "\"***\"");
    bpi_print_name(printer, "expected_profit");
    bpi_print_raw(printer, "\"***\"");
    bpi_print_name(printer, "gas_estimate");
    bpi_print_raw(printer, "\"***\"");
    bpi_print_name(printer, "side");
    bpi_print_raw(printer, "\"***\"");
    bpi_print_name(printer, "confidence");
    bpi_print_raw(printer, "\"***\"");
    bpi_print_raw(printer, "}");
    return bpi_print_end(printer);
}

/* ---- BookAck */

static_assert(MARKET_BOOK_ACK_MAX <= MARKET_BOOK_ACK_CLASS, "BookAck fits its size class");
static_assert(MARKET_BOOK_ACK_MAX == 8,
              "BookAck is as large as its constants say when it is full");

/* What the message takes, and whether it can be encoded. */
static inline bp_err book_ack_measure_(const market_book_ack *in, uint32_t *out) {
    uint32_t size = MARKET_BOOK_ACK_BLOCK;
    *out = 0;
    (void)in;
    *out = size;
    return BP_OK;
}

static inline void book_ack_store_block_(uint8_t *at, const market_book_ack *in) {
    bpi_store_u64(at + 0, in->sequence);
}

bp_err market_book_ack_size(const market_book_ack *message, uint32_t *out) {
    return book_ack_measure_(message, out);
}

bp_err market_book_ack_encode(const market_book_ack *message, uint8_t *out,
                              size_t capacity, uint32_t *length) {
    uint32_t size;
    bp_err err = book_ack_measure_(message, &size);
    if (BP_UNLIKELY(err == BP_OK && size > capacity)) err = BP_ERR_SPACE;
    if (BP_UNLIKELY(err != BP_OK)) return bpi_refuse(err, length, sizeof *length);
    book_ack_store_block_(out, message);
    *length = size;
    return BP_OK;
}

static inline void book_ack_load_all_(const market_book_ack_view *restrict view,
                                      market_book_ack *restrict out) {
    out->sequence = market_book_ack_get_sequence(view);
}

void market_book_ack_load(const market_book_ack_view *view, market_book_ack *out) {
    book_ack_load_all_(view, out);
}

bp_err market_book_ack_decode(const uint8_t *value, size_t length, market_book_ack *out) {
    market_book_ack_view view;
    const bp_err err = market_book_ack_view_init(value, length, &view);
    if (BP_UNLIKELY(err != BP_OK)) return bpi_refuse(err, out, sizeof *out);
    book_ack_load_all_(&view, out);
    return BP_OK;
}

bp_err market_book_ack_validate(const market_book_ack_view *view, const char **field) {
    if (field != NULL) *field = NULL;
    (void)view;
    return BP_OK;
}

bp_err market_book_ack_decode_valid(const uint8_t *value, size_t length, market_book_ack *out,
                                    const char **field) {
    if (field != NULL) *field = NULL;
    return market_book_ack_decode(value, length, out);
}

int market_book_ack_print(const market_book_ack_view *view, char *out, size_t size) {
    bpi_printer state = {out, size, 0, '\0'};
    bpi_printer *const printer = &state;
    (void)view;
    bpi_print_raw(printer, "{");
    bpi_print_name(printer, "sequence");
    bpi_print_unsigned(printer, market_book_ack_get_sequence(view));
    bpi_print_raw(printer, "}");
    return bpi_print_end(printer);
}

/* ---- HostSample */

static_assert(MARKET_HOST_SAMPLE_MAX <= MARKET_HOST_SAMPLE_CLASS, "HostSample fits its size class");
static_assert(MARKET_HOST_SAMPLE_MAX == 64,
              "HostSample is as large as its constants say when it is full");

/* What the message takes, and whether it can be encoded. */
static inline bp_err host_sample_measure_(const market_host_sample *in, uint32_t *out) {
    uint32_t size = MARKET_HOST_SAMPLE_BLOCK;
    *out = 0;
    (void)in;
    *out = size;
    return BP_OK;
}

static inline void host_sample_store_block_(uint8_t *at, const market_host_sample *in) {
    bpi_store_u64(at + 0, in->timestamp);
    bpi_store_u64(at + 8, in->uptime);
    bpi_store_u64(at + 16, in->memory_total);
    bpi_store_u64(at + 24, in->memory_available);
    bpi_store_u64(at + 32, in->cpu_busy);
    bpi_store_u64(at + 40, in->cpu_idle);
    bpi_store_many_f32(at + 48, in->load, 3);
    bpi_store_u32(at + 60, in->process_count);
}

bp_err market_host_sample_size(const market_host_sample *message, uint32_t *out) {
    return host_sample_measure_(message, out);
}

bp_err market_host_sample_encode(const market_host_sample *message, uint8_t *out,
                                 size_t capacity, uint32_t *length) {
    uint32_t size;
    bp_err err = host_sample_measure_(message, &size);
    if (BP_UNLIKELY(err == BP_OK && size > capacity)) err = BP_ERR_SPACE;
    if (BP_UNLIKELY(err != BP_OK)) return bpi_refuse(err, length, sizeof *length);
    host_sample_store_block_(out, message);
    *length = size;
    return BP_OK;
}

static inline void host_sample_load_all_(const market_host_sample_view *restrict view,
                                         market_host_sample *restrict out) {
    out->timestamp = market_host_sample_get_timestamp(view);
    out->uptime = market_host_sample_get_uptime(view);
    out->memory_total = market_host_sample_get_memory_total(view);
    out->memory_available = market_host_sample_get_memory_available(view);
    out->cpu_busy = market_host_sample_get_cpu_busy(view);
    out->cpu_idle = market_host_sample_get_cpu_idle(view);
    bpi_load_many_f32(view->value + 48, out->load, 3);
    out->process_count = market_host_sample_get_process_count(view);
}

void market_host_sample_load(const market_host_sample_view *view, market_host_sample *out) {
    host_sample_load_all_(view, out);
}

bp_err market_host_sample_decode(const uint8_t *value, size_t length, market_host_sample *out) {
    market_host_sample_view view;
    const bp_err err = market_host_sample_view_init(value, length, &view);
    if (BP_UNLIKELY(err != BP_OK)) return bpi_refuse(err, out, sizeof *out);
    host_sample_load_all_(&view, out);
    return BP_OK;
}

bp_err market_host_sample_validate(const market_host_sample_view *view, const char **field) {
    if (field != NULL) *field = NULL;
    (void)view;
    return BP_OK;
}

bp_err market_host_sample_decode_valid(const uint8_t *value, size_t length, market_host_sample *out,
                                       const char **field) {
    if (field != NULL) *field = NULL;
    return market_host_sample_decode(value, length, out);
}

int market_host_sample_print(const market_host_sample_view *view, char *out, size_t size) {
    bpi_printer state = {out, size, 0, '\0'};
    bpi_printer *const printer = &state;
    (void)view;
    bpi_print_raw(printer, "{");
    bpi_print_name(printer, "timestamp");
    bpi_print_unsigned(printer, market_host_sample_get_timestamp(view));
    bpi_print_name(printer, "uptime");
    bpi_print_unsigned(printer, market_host_sample_get_uptime(view));
    bpi_print_name(printer, "memory_total");
    bpi_print_unsigned(printer, market_host_sample_get_memory_total(view));
    bpi_print_name(printer, "memory_available");
    bpi_print_unsigned(printer, market_host_sample_get_memory_available(view));
    bpi_print_name(printer, "cpu_busy");
    bpi_print_unsigned(printer, market_host_sample_get_cpu_busy(view));
    bpi_print_name(printer, "cpu_idle");
    bpi_print_unsigned(printer, market_host_sample_get_cpu_idle(view));
    bpi_print_name(printer, "load");
    bpi_print_raw(printer, "[");
    for (uint32_t i = 0; i < market_host_sample_load_count(view); i++) {
        if (i != 0) bpi_print_raw(printer, ",");
        bpi_print_f32(printer, market_host_sample_load_at(view, i));
    }
    bpi_print_raw(printer, "]");
    bpi_print_name(printer, "process_count");
    bpi_print_unsigned(printer, market_host_sample_get_process_count(view));
    bpi_print_raw(printer, "}");
    return bpi_print_end(printer);
}

/* ---- ProcessSample */

static_assert(MARKET_PROCESS_SAMPLE_MAX <= MARKET_PROCESS_SAMPLE_CLASS, "ProcessSample fits its size class");
static_assert(MARKET_PROCESS_SAMPLE_MAX == BPI_ALIGNED(83, 1) + MARKET_PROCESS_SAMPLE_COMMAND_CAP * 1,
              "ProcessSample is as large as its constants say when it is full");

/* What the message takes, and whether it can be encoded. */
static inline bp_err process_sample_measure_(const market_process_sample *in, uint32_t *out) {
    bpi_flaws limits = {0, 0};
    bpi_flaws *const flaws = &limits;
    uint32_t size = MARKET_PROCESS_SAMPLE_BLOCK;
    *out = 0;
    const uint32_t command_count = in->has_command ? in->command_length : 0;
    if (BP_UNLIKELY(command_count > MARKET_PROCESS_SAMPLE_COMMAND_CAP)) return BP_ERR_BOUND;
    size += command_count;
    (void)bpi_bounded(in->name_length, MARKET_PROCESS_SAMPLE_NAME_CAP, flaws);
    const bp_err err = bpi_flaws_err(flaws);
    if (BP_UNLIKELY(err != BP_OK)) return err;
    *out = size;
    return BP_OK;
}

static inline void process_sample_store_block_(uint8_t *at, const market_process_sample *in) {
    bpi_store_u8(at + 49, in->name_length);
    bpi_store_u16(at + 44, MARKET_PROCESS_SAMPLE_BLOCK);
    bpi_store_u8(at + 48, (uint8_t)((in->has_read_bytes ? UINT8_C(0x2) : 0) | (in->has_command ? UINT8_C(0x1) : 0)));
    bpi_store_u64(at + 0, in->timestamp);
    bpi_store_u64(at + 8, in->resident);
    bpi_store_u64(at + 16, in->cpu_time);
    if (in->has_read_bytes) {
        bpi_store_u64(at + 24, in->read_bytes);
    } else {
        memset(at + 24, 0, 8);
    }
    bpi_store_u32(at + 32, in->pid);
    bpi_store_u32(at + 36, in->parent);
    bpi_store_u32(at + 40, in->threads);
    if (in->has_command) {
        bpi_store_u16(at + 46, in->command_length);
    } else {
        memset(at + 46, 0, 2);
    }
    bpi_store_slack(at + 50, (const uint8_t *)in->name, in->name_length, 32);
    bpi_store_u8(at + 82, in->state);
}

static inline void process_sample_store_tail_(uint8_t *out, const market_process_sample *in) {
    uint32_t end = MARKET_PROCESS_SAMPLE_BLOCK;
    {
        const uint32_t count = in->has_command ? in->command_length : 0;
        bpi_copy(out + end, (const uint8_t *)in->command, count);
    }
}

bp_err market_process_sample_size(const market_process_sample *message, uint32_t *out) {
    return process_sample_measure_(message, out);
}

bp_err market_process_sample_encode(const market_process_sample *restrict message, uint8_t *restrict out,
                                    size_t capacity, uint32_t *restrict length) {
    uint32_t size;
    bp_err err = process_sample_measure_(message, &size);
    if (BP_UNLIKELY(err == BP_OK && size > capacity)) err = BP_ERR_SPACE;
    if (BP_UNLIKELY(err != BP_OK)) return bpi_refuse(err, length, sizeof *length);
    process_sample_store_block_(out, message);
    process_sample_store_tail_(out, message);
    *length = size;
    return BP_OK;
}

/* Whether the block's bytes are well-formed. */
static inline void market_process_sample_check_block_(const market_process_sample_view *view, bpi_flaws *flaws) {
    const uint8_t present_1 = bpi_load_u8(view->value + 48);
    flaws->malformed |= present_1 & UINT8_C(0xfc);
    if ((present_1 & UINT8_C(0x2)) == 0) {
        flaws->malformed |= !bpi_is_zero(view->value + 24, 8);
    }
    if ((present_1 & UINT8_C(0x1)) == 0) {
        flaws->malformed |= !bpi_is_zero(view->value + 46, 2);
    }
    {
        const uint32_t used = bpi_bounded(bpi_load_u8(view->value + 49), MARKET_PROCESS_SAMPLE_NAME_CAP, flaws);
        flaws->malformed |= bpi_slack(view->value + 50, (size_t)used * 1, 32);
    }
}

/* Finds the block and the tails; checks everything but the elements of vectors. */
static inline bp_err market_process_sample_open_(const uint8_t *value, size_t length, market_process_sample_view *view,
                                                 bpi_flaws *flaws) {
    if (BP_UNLIKELY(length < MARKET_PROCESS_SAMPLE_ACCEPT_MIN)) return BP_ERR_TRUNCATED;
    if (BP_UNLIKELY(length > MARKET_PROCESS_SAMPLE_ACCEPT_MAX)) return BP_ERR_BOUND;
    const uint32_t block_length = bpi_load_u16(value + 44);
    if (BP_UNLIKELY(block_length > length)) return BP_ERR_TRUNCATED;
    if (BP_UNLIKELY(block_length < MARKET_PROCESS_SAMPLE_BLOCK)) return BP_ERR_MALFORMED;
    view->value = value;
    view->block_length = block_length;
    market_process_sample_check_block_(view, flaws);
    uint32_t end = block_length;
    view->command_count = bpi_load_u16(value + 46);
    if (BP_UNLIKELY(view->command_count > MARKET_PROCESS_SAMPLE_COMMAND_CAP)) return BP_ERR_BOUND;
    const uint64_t command_bytes = view->command_count;
    if (!bpi_tail_find(value, (uint32_t)length, 1, command_bytes, &end, &view->command_at, flaws)) {
        return BP_ERR_TRUNCATED;
    }
    if (BP_UNLIKELY(end != length && block_length <= MARKET_PROCESS_SAMPLE_BLOCK)) return BP_ERR_MALFORMED;
    return BP_OK;
}

/* Makes a view; expanded where a message is decoded, so that the view need not lie in memory. */
BPI_INLINE bp_err process_sample_view_(const uint8_t *value, size_t length, market_process_sample_view *out) {
    bpi_flaws flaws = {0, 0};
    bp_err err = market_process_sample_open_(value, length, out, &flaws);
    if (BP_LIKELY(err == BP_OK)) err = bpi_flaws_err(&flaws);
    if (BP_UNLIKELY(err != BP_OK)) memset(out, 0, sizeof *out);
    return err;
}

bp_err market_process_sample_view_init(const uint8_t *value, size_t length, market_process_sample_view *out) {
    return process_sample_view_(value, length, out);
}

static inline void process_sample_load_all_(const market_process_sample_view *restrict view,
                                            market_process_sample *restrict out) {
    out->timestamp = market_process_sample_get_timestamp(view);
    out->pid = market_process_sample_get_pid(view);
    out->parent = market_process_sample_get_parent(view);
    out->name_length = bpi_load_u8(view->value + 49);
    memcpy(out->name, view->value + 50, 32); /* with its slack of zeros */
    out->name[32] = '\0';
    out->has_command = market_process_sample_has_command(view);
    {
        const bp_text bytes = market_process_sample_get_command(view);
        const uint32_t used = bpi_clamped((uint32_t)bytes.length, MARKET_PROCESS_SAMPLE_COMMAND_CAP);
        bpi_copy((uint8_t *)out->command, (const uint8_t *)bytes.data, used);
        out->command[used] = '\0';
        out->command_length = (uint16_t)used;
    }
    out->state = market_process_sample_get_state(view);
    out->threads = market_process_sample_get_threads(view);
    out->resident = market_process_sample_get_resident(view);
    out->cpu_time = market_process_sample_get_cpu_time(view);
    out->has_read_bytes = market_process_sample_has_read_bytes(view);
    out->read_bytes = market_process_sample_get_read_bytes(view);
}

void market_process_sample_load(const market_process_sample_view *view, market_process_sample *out) {
    process_sample_load_all_(view, out);
}

bp_err market_process_sample_decode(const uint8_t *value, size_t length, market_process_sample *out) {
    market_process_sample_view view;
    const bp_err err = process_sample_view_(value, length, &view);
    if (BP_UNLIKELY(err != BP_OK)) return bpi_refuse(err, out, sizeof *out);
    process_sample_load_all_(&view, out);
    return BP_OK;
}

/* Names the first field that breaks a rule. */
static inline bp_err process_sample_rules_(const market_process_sample_view *view, const char **field) {
    {
        const uint32_t value = market_process_sample_get_pid(view);
        if (value == 0) return broken("pid", field);
    }
    {
        const bp_text text = market_process_sample_get_name(view);
        if (!bpi_utf8_padded_is_valid((const uint8_t *)text.data, text.length, 32)) return broken("name", field);
    }
    if (market_process_sample_has_command(view)) {
        const bp_text text = market_process_sample_get_command(view);
        if (!bpi_utf8_is_valid((const uint8_t *)text.data, text.length)) return broken("command", field);
    }
    return BP_OK;
}

bp_err market_process_sample_validate(const market_process_sample_view *view, const char **field) {
    if (field != NULL) *field = NULL;
    return process_sample_rules_(view, field);
}

bp_err market_process_sample_decode_valid(const uint8_t *value, size_t length, market_process_sample *out,
                                          const char **field) {
    market_process_sample_view view;
    bp_err err = market_process_sample_view_init(value, length, &view);
    if (field != NULL) *field = NULL;
    if (BP_LIKELY(err == BP_OK)) err = process_sample_rules_(&view, field);
    if (BP_UNLIKELY(err != BP_OK)) return bpi_refuse(err, out, sizeof *out);
    process_sample_load_all_(&view, out);
    return BP_OK;
}

int market_process_sample_print(const market_process_sample_view *view, char *out, size_t size) {
    bpi_printer state = {out, size, 0, '\0'};
    bpi_printer *const printer = &state;
    (void)view;
    bpi_print_raw(printer, "{");
    bpi_print_name(printer, "timestamp");
    bpi_print_unsigned(printer, market_process_sample_get_timestamp(view));
    bpi_print_name(printer, "pid");
    bpi_print_unsigned(printer, market_process_sample_get_pid(view));
    bpi_print_name(printer, "parent");
    bpi_print_unsigned(printer, market_process_sample_get_parent(view));
    bpi_print_name(printer, "name");
    bpi_print_text(printer, market_process_sample_get_name(view));
    if (market_process_sample_has_command(view)) {
        bpi_print_name(printer, "command");
        bpi_print_text(printer, market_process_sample_get_command(view));
    }
    bpi_print_name(printer, "state");
    bpi_print_unsigned(printer, market_process_sample_get_state(view));
    bpi_print_name(printer, "threads");
    bpi_print_unsigned(printer, market_process_sample_get_threads(view));
    bpi_print_name(printer, "resident");
    bpi_print_unsigned(printer, market_process_sample_get_resident(view));
    bpi_print_name(printer, "cpu_time");
    bpi_print_unsigned(printer, market_process_sample_get_cpu_time(view));
    if (market_process_sample_has_read_bytes(view)) {
        bpi_print_name(printer, "read_bytes");
        bpi_print_unsigned(printer, market_process_sample_get_read_bytes(view));
    }
    bpi_print_raw(printer, "}");
    return bpi_print_end(printer);
}

/* ---- LogLine */

static_assert(MARKET_LOG_LINE_MAX <= MARKET_LOG_LINE_CLASS, "LogLine fits its size class");
static_assert(MARKET_LOG_LINE_MAX == BPI_ALIGNED(30, 1) + MARKET_LOG_LINE_TEXT_CAP * 1,
              "LogLine is as large as its constants say when it is full");

/* What the message takes, and whether it can be encoded. */
static inline bp_err log_line_measure_(const market_log_line *in, uint32_t *out) {
    bpi_flaws limits = {0, 0};
    bpi_flaws *const flaws = &limits;
    uint32_t size = MARKET_LOG_LINE_BLOCK;
    *out = 0;
    const uint32_t text_count = in->text_length;
    if (BP_UNLIKELY(text_count > MARKET_LOG_LINE_TEXT_CAP)) return BP_ERR_BOUND;
    size += text_count;
    flaws->malformed |= !market_severity_is_known_(in->severity);
    (void)bpi_bounded(in->source_length, MARKET_LOG_LINE_SOURCE_CAP, flaws);
    const bp_err err = bpi_flaws_err(flaws);
    if (BP_UNLIKELY(err != BP_OK)) return err;
    *out = size;
    return BP_OK;
}

static inline void log_line_store_block_(uint8_t *at, const market_log_line *in) {
    bpi_store_u8(at + 13, in->source_length);
    bpi_store_u16(at + 8, MARKET_LOG_LINE_BLOCK);
    bpi_store_u64(at + 0, in->timestamp);
    bpi_store_u16(at + 10, in->text_length);
    bpi_store_u8(at + 12, in->severity);
    bpi_store_slack(at + 14, (const uint8_t *)in->source, in->source_length, 16);
}

static inline void log_line_store_tail_(uint8_t *out, const market_log_line *in) {
    uint32_t end = MARKET_LOG_LINE_BLOCK;
    {
        const uint32_t count = in->text_length;
        bpi_copy(out + end, (const uint8_t *)in->text, count);
    }
}

bp_err market_log_line_size(const market_log_line *message, uint32_t *out) {
    return log_line_measure_(message, out);
}

bp_err market_log_line_encode(const market_log_line *restrict message, uint8_t *restrict out,
                              size_t capacity, uint32_t *restrict length) {
    uint32_t size;
    bp_err err = log_line_measure_(message, &size);
    if (BP_UNLIKELY(err == BP_OK && size > capacity)) err = BP_ERR_SPACE;
    if (BP_UNLIKELY(err != BP_OK)) return bpi_refuse(err, length, sizeof *length);
    log_line_store_block_(out, message);
    log_line_store_tail_(out, message);
    *length = size;
    return BP_OK;
}

/* Whether the block's bytes are well-formed. */
static inline void market_log_line_check_block_(const market_log_line_view *view, bpi_flaws *flaws) {
    flaws->malformed |= !market_severity_is_known_(bpi_load_u8(view->value + 12));
    {
        const uint32_t used = bpi_bounded(bpi_load_u8(view->value + 13), MARKET_LOG_LINE_SOURCE_CAP, flaws);
        flaws->malformed |= bpi_slack(view->value + 14, (size_t)used * 1, 16);
    }
}

/* Finds the block and the tails; checks everything but the elements of vectors. */
static inline bp_err market_log_line_open_(const uint8_t *value, size_t length, market_log_line_view *view,
                                           bpi_flaws *flaws) {
    if (BP_UNLIKELY(length < MARKET_LOG_LINE_ACCEPT_MIN)) return BP_ERR_TRUNCATED;
    if (BP_UNLIKELY(length > MARKET_LOG_LINE_ACCEPT_MAX)) return BP_ERR_BOUND;
    const uint32_t block_length = bpi_load_u16(value + 8);
    if (BP_UNLIKELY(block_length > length)) return BP_ERR_TRUNCATED;
    if (BP_UNLIKELY(block_length < MARKET_LOG_LINE_BLOCK)) return BP_ERR_MALFORMED;
    view->value = value;
    view->block_length = block_length;
    market_log_line_check_block_(view, flaws);
    uint32_t end = block_length;
    view->text_count = bpi_load_u16(value + 10);
    if (BP_UNLIKELY(view->text_count > MARKET_LOG_LINE_TEXT_CAP)) return BP_ERR_BOUND;
    const uint64_t text_bytes = view->text_count;
    if (!bpi_tail_find(value, (uint32_t)length, 1, text_bytes, &end, &view->text_at, flaws)) {
        return BP_ERR_TRUNCATED;
    }
    if (BP_UNLIKELY(end != length && block_length <= MARKET_LOG_LINE_BLOCK)) return BP_ERR_MALFORMED;
    return BP_OK;
}

/* Makes a view; expanded where a message is decoded, so that the view need not lie in memory. */
BPI_INLINE bp_err log_line_view_(const uint8_t *value, size_t length, market_log_line_view *out) {
    bpi_flaws flaws = {0, 0};
    bp_err err = market_log_line_open_(value, length, out, &flaws);
    if (BP_LIKELY(err == BP_OK)) err = bpi_flaws_err(&flaws);
    if (BP_UNLIKELY(err != BP_OK)) memset(out, 0, sizeof *out);
    return err;
}

bp_err market_log_line_view_init(const uint8_t *value, size_t length, market_log_line_view *out) {
    return log_line_view_(value, length, out);
}

static inline void log_line_load_all_(const market_log_line_view *restrict view,
                                      market_log_line *restrict out) {
    out->timestamp = market_log_line_get_timestamp(view);
    out->severity = market_log_line_get_severity(view);
    out->source_length = bpi_load_u8(view->value + 13);
    memcpy(out->source, view->value + 14, 16); /* with its slack of zeros */
    out->source[16] = '\0';
    {
        const bp_text bytes = market_log_line_get_text(view);
        const uint32_t used = bpi_clamped((uint32_t)bytes.length, MARKET_LOG_LINE_TEXT_CAP);
        bpi_copy((uint8_t *)out->text, (const uint8_t *)bytes.data, used);
        out->text[used] = '\0';
        out->text_length = (uint16_t)used;
    }
}

void market_log_line_load(const market_log_line_view *view, market_log_line *out) {
    log_line_load_all_(view, out);
}

bp_err market_log_line_decode(const uint8_t *value, size_t length, market_log_line *out) {
    market_log_line_view view;
    const bp_err err = log_line_view_(value, length, &view);
    if (BP_UNLIKELY(err != BP_OK)) return bpi_refuse(err, out, sizeof *out);
    log_line_load_all_(&view, out);
    return BP_OK;
}

/* Names the first field that breaks a rule. */
static inline bp_err log_line_rules_(const market_log_line_view *view, const char **field) {
    {
        const bp_text text = market_log_line_get_source(view);
        if (!bpi_utf8_padded_is_valid((const uint8_t *)text.data, text.length, 16)) return broken("source", field);
    }
    {
        const bp_text text = market_log_line_get_text(view);
        if (!bpi_utf8_is_valid((const uint8_t *)text.data, text.length)) return broken("text", field);
    }
    return BP_OK;
}

bp_err market_log_line_validate(const market_log_line_view *view, const char **field) {
    if (field != NULL) *field = NULL;
    return log_line_rules_(view, field);
}

bp_err market_log_line_decode_valid(const uint8_t *value, size_t length, market_log_line *out,
                                    const char **field) {
    market_log_line_view view;
    bp_err err = market_log_line_view_init(value, length, &view);
    if (field != NULL) *field = NULL;
    if (BP_LIKELY(err == BP_OK)) err = log_line_rules_(&view, field);
    if (BP_UNLIKELY(err != BP_OK)) return bpi_refuse(err, out, sizeof *out);
    log_line_load_all_(&view, out);
    return BP_OK;
}

int market_log_line_print(const market_log_line_view *view, char *out, size_t size) {
    bpi_printer state = {out, size, 0, '\0'};
    bpi_printer *const printer = &state;
    (void)view;
    bpi_print_raw(printer, "{");
    bpi_print_name(printer, "timestamp");
    bpi_print_unsigned(printer, market_log_line_get_timestamp(view));
    bpi_print_name(printer, "severity");
    severity_print_(printer, market_log_line_get_severity(view));
    bpi_print_name(printer, "source");
    bpi_print_text(printer, market_log_line_get_source(view));
    bpi_print_name(printer, "text");
    bpi_print_text(printer, market_log_line_get_text(view));
    bpi_print_raw(printer, "}");
    return bpi_print_end(printer);
}

/* ---- Snapshot */

static_assert(MARKET_SNAPSHOT_MAX <= MARKET_SNAPSHOT_CLASS, "Snapshot fits its size class");
static_assert(MARKET_SNAPSHOT_MAX == BPI_ALIGNED(BPI_ALIGNED(16, 1) + MARKET_SNAPSHOT_NAME_CAP * 1, 1) + MARKET_SNAPSHOT_CONTENT_CAP * 1,
              "Snapshot is as large as its constants say when it is full");

/* What the message takes, and whether it can be encoded. */
static inline bp_err snapshot_measure_(const market_snapshot *in, uint32_t *out) {
    uint32_t size = MARKET_SNAPSHOT_BLOCK;
    *out = 0;
    const uint32_t name_count = in->name_length;
    if (BP_UNLIKELY(name_count > MARKET_SNAPSHOT_NAME_CAP)) return BP_ERR_BOUND;
    size += name_count;
    const uint32_t content_count = in->content_length;
    if (BP_UNLIKELY(content_count > MARKET_SNAPSHOT_CONTENT_CAP)) return BP_ERR_BOUND;
    size += content_count;
    *out = size;
    return BP_OK;
}

static inline void snapshot_store_block_(uint8_t *at, const market_snapshot *in) {
    bpi_store_u16(at + 12, MARKET_SNAPSHOT_BLOCK);
    bpi_store_u64(at + 0, in->timestamp);
    bpi_store_u32(at + 8, in->content_length);
    bpi_store_u16(at + 14, in->name_length);
}

static inline void snapshot_store_tail_(uint8_t *out, const market_snapshot *in) {
    uint32_t end = MARKET_SNAPSHOT_BLOCK;
    {
        const uint32_t count = in->name_length;
        bpi_copy(out + end, (const uint8_t *)in->name, count);
    }
}

bp_err market_snapshot_size(const market_snapshot *message, uint32_t *out) {
    return snapshot_measure_(message, out);
}

bp_err market_snapshot_encode(const market_snapshot *restrict message, uint8_t *restrict out,
                              size_t capacity, uint32_t *restrict length) {
    const uint32_t count = message->content_length;
    uint32_t size;
    bp_err err = snapshot_measure_(message, &size);
    if (BP_UNLIKELY(err == BP_OK && count != 0 && message->content == NULL)) err = BP_ERR_ARGUMENT;
    if (BP_UNLIKELY(err == BP_OK && size > capacity)) err = BP_ERR_SPACE;
    if (BP_UNLIKELY(err != BP_OK)) return bpi_refuse(err, length, sizeof *length);
    snapshot_store_block_(out, message);
    snapshot_store_tail_(out, message);
    bpi_copy(out + (size - count), message->content, count);
    *length = size;
    return BP_OK;
}

bp_err market_snapshot_place(const market_snapshot *restrict message, uint8_t *restrict out, size_t capacity,
                             uint32_t *restrict length, uint8_t **restrict data) {
    const uint32_t count = message->content_length;
    uint32_t size;
    bp_err err = snapshot_measure_(message, &size);
    if (BP_UNLIKELY(err == BP_OK && size > capacity)) err = BP_ERR_SPACE;
    *data = NULL;
    if (BP_UNLIKELY(err != BP_OK)) return bpi_refuse(err, length, sizeof *length);
    snapshot_store_block_(out, message);
    snapshot_store_tail_(out, message);
    *length = size;
    *data = out + (size - count);
    return BP_OK;
}

/* Finds the block and the tails; checks everything but the elements of vectors. */
static inline bp_err market_snapshot_open_(const uint8_t *value, size_t length, market_snapshot_view *view,
                                           bpi_flaws *flaws) {
    if (BP_UNLIKELY(length < MARKET_SNAPSHOT_ACCEPT_MIN)) return BP_ERR_TRUNCATED;
    if (BP_UNLIKELY(length > MARKET_SNAPSHOT_ACCEPT_MAX)) return BP_ERR_BOUND;
    const uint32_t block_length = bpi_load_u16(value + 12);
    if (BP_UNLIKELY(block_length > length)) return BP_ERR_TRUNCATED;
    if (BP_UNLIKELY(block_length < MARKET_SNAPSHOT_BLOCK)) return BP_ERR_MALFORMED;
    view->value = value;
    view->block_length = block_length;
    uint32_t end = block_length;
    view->name_count = bpi_load_u16(value + 14);
    if (BP_UNLIKELY(view->name_count > MARKET_SNAPSHOT_NAME_CAP)) return BP_ERR_BOUND;
    const uint64_t name_bytes = view->name_count;
    if (!bpi_tail_find(value, (uint32_t)length, 1, name_bytes, &end, &view->name_at, flaws)) {
        return BP_ERR_TRUNCATED;
    }
    view->content_count = bpi_load_u32(value + 8);
    if (BP_UNLIKELY(view->content_count > MARKET_SNAPSHOT_CONTENT_CAP)) return BP_ERR_BOUND;
    const uint64_t content_bytes = view->content_count;
    if (!bpi_tail_find(value, (uint32_t)length, 1, content_bytes, &end, &view->content_at, flaws)) {
        return BP_ERR_TRUNCATED;
    }
    if (BP_UNLIKELY(end != length && block_length <= MARKET_SNAPSHOT_BLOCK)) return BP_ERR_MALFORMED;
    return BP_OK;
}

/* Makes a view; expanded where a message is decoded, so that the view need not lie in memory. */
BPI_INLINE bp_err snapshot_view_(const uint8_t *value, size_t length, market_snapshot_view *out) {
    bpi_flaws flaws = {0, 0};
    bp_err err = market_snapshot_open_(value, length, out, &flaws);
    if (BP_LIKELY(err == BP_OK)) err = bpi_flaws_err(&flaws);
    if (BP_UNLIKELY(err != BP_OK)) memset(out, 0, sizeof *out);
    return err;
}

bp_err market_snapshot_view_init(const uint8_t *value, size_t length, market_snapshot_view *out) {
    return snapshot_view_(value, length, out);
}

static inline void snapshot_load_all_(const market_snapshot_view *restrict view,
                                      market_snapshot *restrict out) {
    out->timestamp = market_snapshot_get_timestamp(view);
    {
        const bp_text bytes = market_snapshot_get_name(view);
        const uint32_t used = bpi_clamped((uint32_t)bytes.length, MARKET_SNAPSHOT_NAME_CAP);
        bpi_copy((uint8_t *)out->name, (const uint8_t *)bytes.data, used);
        out->name[used] = '\0';
        out->name_length = (uint16_t)used;
    }
    {
        const bp_bytes bytes = market_snapshot_get_content(view);
        out->content = bytes.data;
        out->content_length = (uint32_t)bytes.length;
    }
}

void market_snapshot_load(const market_snapshot_view *view, market_snapshot *out) {
    snapshot_load_all_(view, out);
}

bp_err market_snapshot_decode(const uint8_t *value, size_t length, market_snapshot *out) {
    market_snapshot_view view;
    const bp_err err = snapshot_view_(value, length, &view);
    if (BP_UNLIKELY(err != BP_OK)) return bpi_refuse(err, out, sizeof *out);
    snapshot_load_all_(&view, out);
    return BP_OK;
}

/* Names the first field that breaks a rule. */
static inline bp_err snapshot_rules_(const market_snapshot_view *view, const char **field) {
    {
        const bp_text text = market_snapshot_get_name(view);
        if (text.length == 0) return broken("name", field);
        if (!bpi_utf8_is_valid((const uint8_t *)text.data, text.length)) return broken("name", field);
    }
    return BP_OK;
}

bp_err market_snapshot_validate(const market_snapshot_view *view, const char **field) {
    if (field != NULL) *field = NULL;
    return snapshot_rules_(view, field);
}

bp_err market_snapshot_decode_valid(const uint8_t *value, size_t length, market_snapshot *out,
                                    const char **field) {
    market_snapshot_view view;
    bp_err err = market_snapshot_view_init(value, length, &view);
    if (field != NULL) *field = NULL;
    if (BP_LIKELY(err == BP_OK)) err = snapshot_rules_(&view, field);
    if (BP_UNLIKELY(err != BP_OK)) return bpi_refuse(err, out, sizeof *out);
    snapshot_load_all_(&view, out);
    return BP_OK;
}

int market_snapshot_print(const market_snapshot_view *view, char *out, size_t size) {
    bpi_printer state = {out, size, 0, '\0'};
    bpi_printer *const printer = &state;
    (void)view;
    bpi_print_raw(printer, "{");
    bpi_print_name(printer, "timestamp");
    bpi_print_unsigned(printer, market_snapshot_get_timestamp(view));
    bpi_print_name(printer, "name");
    bpi_print_text(printer, market_snapshot_get_name(view));
    bpi_print_name(printer, "content");
    bpi_print_bytes(printer, market_snapshot_get_content(view));
    bpi_print_raw(printer, "}");
    return bpi_print_end(printer);
}
