/* Written by bufpoolc from contracts.yaml, do not edit: messages of schema market.
 *
 * Owned structs (market_X) hold a message's values; encode and decode convert between them and the wire. Views
 * (market_X_view) read the wire in place and are valid as long as its bytes are. A value may lie at any alignment.
 * Members of views and names that end in an underscore are private. Any thread may call any function. Each message X has:
 *
 *   X_size       Bytes that X_encode will write. BP_ERR_BOUND: a count is above its capacity; BP_ERR_MALFORMED: an enum
 *                has no such value; BP_ERR_ARGUMENT: a pointer is NULL and its count is not zero (but for the
 *                one that X_place leaves out: X_encode alone looks at that).
 *   X_encode     Writes the message into capacity bytes at out; *length is what it took. The three do not overlap. Errors
 *                of X_size; BP_ERR_SPACE: capacity is too small. On error *length is 0.
 *   X_place      Where a value ends with a field of bytes, X_encode without these: for whoever reads them straight to
 *                their place. The field's length tells how many they are, what it points at is not looked at, and
 *                *data is where in out they belong. Once they are there, the *length bytes at out are those of X_encode.
 *                Errors of X_encode; nothing is written then, *length is 0 and *data NULL.
 *   X_decode     Reads a value into *out. Rules are not checked; elements behind a count stay as they were; pointers
 *                point into value. BP_ERR_TRUNCATED, BP_ERR_MALFORMED, BP_ERR_BOUND: *out is then zero.
 *   X_decode_valid   The same, and checks the rules as X_validate does: BP_ERR_RULE, *out is zero and *field names the field.
 *   X_view_init  Makes a view; accepts and refuses the same bytes as X_decode.
 *   X_load       Copies what a view shows into *out, as X_decode would, and has nothing left to check.
 *   X_validate   Checks the rules. BP_ERR_RULE: *field, unless field is NULL, names the first field that breaks one.
 *   X_print      Writes JSON, always NUL-terminated when size is not 0; returns the bytes that the whole text takes.
 *   X_get_f      The value of field f; its default or zero while X_has_f is false.
 *   X_f_count, X_f_at   Elements of field f; index < count is the caller's duty. */
#ifndef MARKET_MESSAGES_H
#define MARKET_MESSAGES_H

#include "market_sizes.h"

#include "bufpool/base.h"
#include "bufpool/detail/bytes.h"

#if BP_ABI != 6 || MARKET_CONTRACT_HASH != 0x3dd784690afe4034u
#error "generated files of different contracts or library versions are mixed: run bufpoolc again and recompile"
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Side */
typedef uint8_t market_side;
#define MARKET_SIDE_BUY ((market_side)1u)
#define MARKET_SIDE_SELL ((market_side)2u)

/* The value's name in the contract, or NULL. */
static inline const char *market_side_name(market_side value) {
    switch (value) {
    case 1u: return "buy";
    case 2u: return "sell";
    default: return NULL;
    }
}

static inline bool market_side_is_known_(market_side value) {
    return value == 1u || value == 2u;
}

/* Severity */
typedef uint8_t market_severity;
#define MARKET_SEVERITY_DEBUG ((market_severity)1u)
#define MARKET_SEVERITY_INFO ((market_severity)2u)
#define MARKET_SEVERITY_WARNING ((market_severity)3u)
#define MARKET_SEVERITY_ERROR ((market_severity)4u)

/* The value's name in the contract, or NULL. */
static inline const char *market_severity_name(market_severity value) {
    switch (value) {
    case 1u: return "debug";
    case 2u: return "info";
    case 3u: return "warning";
    case 4u: return "error";
    default: return NULL;
    }
}

static inline bool market_severity_is_known_(market_severity value) {
    return value == 1u || value == 2u || value == 3u || value == 4u;
}

/* One price level of a book. */
typedef struct market_level {
    /* unit: ticks */
    uint64_t price;
    /* unit: lots */
    uint64_t quantity;
    uint32_t orders;
} market_level;
#ifdef __cplusplus
#define MARKET_LEVEL_INIT {}
#else
#define MARKET_LEVEL_INIT {0}
#endif
/* Whether it lies in memory as on the wire: then many are copied as one. */
#define MARKET_LEVEL_IS_FLAT_ (!BPI_IS_BIG_ENDIAN && sizeof(market_level) == 24 && offsetof(market_level, price) == 0 && offsetof(market_level, quantity) == 8 && offsetof(market_level, orders) == 16)

/* Reads MARKET_LEVEL_SIZE bytes that were found to be well-formed. */
static inline void market_level_load_(const uint8_t *at, market_level *out) {
    out->price = bpi_load_u64(at + 0);
    out->quantity = bpi_load_u64(at + 8);
    out->orders = bpi_load_u32(at + 16);
}

/* Whether its bytes are well-formed. */
static inline void market_level_check_(const uint8_t *at, bpi_flaws *flaws) {
    flaws->malformed |= bpi_load_u32(at + 20);
}

/* What an instrument is; sent once before anything else about it. */
typedef struct market_instrument_meta {
    uint64_t instrument_id;
    /* Ticker, such as ETH-USDC */
    char symbol[MARKET_INSTRUMENT_META_SYMBOL_CAP + 1];
    uint8_t symbol_length;
    /* unit: 10^-9 quote */
    uint64_t tick_size;
    uint32_t lot_size;
    uint16_t venue;
    uint8_t decimals;
} market_instrument_meta;
#ifdef __cplusplus
#define MARKET_INSTRUMENT_META_INIT {}
#else
#define MARKET_INSTRUMENT_META_INIT {0}
#endif

/* InstrumentMeta, read where it lies. */
typedef struct market_instrument_meta_view {
    const uint8_t *value;
    uint32_t block_length;
} market_instrument_meta_view;

BP_NODISCARD bp_err market_instrument_meta_size(const market_instrument_meta *message, uint32_t *out);
BP_NODISCARD bp_err market_instrument_meta_encode(const market_instrument_meta *message, uint8_t *out, size_t capacity,
                                                  uint32_t *length);
BP_NODISCARD bp_err market_instrument_meta_decode(const uint8_t *value, size_t length, market_instrument_meta *out);
BP_NODISCARD bp_err market_instrument_meta_decode_valid(const uint8_t *value, size_t length, market_instrument_meta *out,
                                                        const char **field);
void market_instrument_meta_load(const market_instrument_meta_view *view, market_instrument_meta *out);
BP_NODISCARD static inline bp_err market_instrument_meta_view_init(const uint8_t *value, size_t length, market_instrument_meta_view *out);
BP_NODISCARD bp_err market_instrument_meta_validate(const market_instrument_meta_view *view, const char **field);
int market_instrument_meta_print(const market_instrument_meta_view *view, char *out, size_t size);

/* Whether the block's bytes are well-formed. */
static inline void market_instrument_meta_check_block_(const market_instrument_meta_view *view, bpi_flaws *flaws) {
    {
        const uint32_t used = bpi_bounded(bpi_load_u8(view->value + 22), MARKET_INSTRUMENT_META_SYMBOL_CAP, flaws);
        flaws->malformed |= bpi_slack(view->value + 23, (size_t)used * 1, 24);
    }
}

/* Checks length and block. */
static inline bp_err market_instrument_meta_open_(const uint8_t *value, size_t length, market_instrument_meta_view *view,
                                                  bpi_flaws *flaws) {
    if (BP_UNLIKELY(length < MARKET_INSTRUMENT_META_ACCEPT_MIN)) return BP_ERR_TRUNCATED;
    if (BP_UNLIKELY(length > MARKET_INSTRUMENT_META_ACCEPT_MAX)) return BP_ERR_BOUND;
    const uint32_t block_length = (uint32_t)length;
    view->value = value;
    view->block_length = block_length;
    market_instrument_meta_check_block_(view, flaws);
    return BP_OK;
}

static inline bp_err market_instrument_meta_view_init(const uint8_t *value, size_t length, market_instrument_meta_view *out) {
    bpi_flaws flaws = {0, 0};
    bp_err err = market_instrument_meta_open_(value, length, out, &flaws);
    if (BP_LIKELY(err == BP_OK)) err = bpi_flaws_err(&flaws);
    if (BP_UNLIKELY(err != BP_OK)) memset(out, 0, sizeof *out);
    return err;
}

static inline uint64_t market_instrument_meta_get_instrument_id(const market_instrument_meta_view *view) {
    return bpi_load_u64(view->value + 0);
}

/* Ticker, such as ETH-USDC */
static inline bp_text market_instrument_meta_get_symbol(const market_instrument_meta_view *view) {
    return bpi_text((const char *)(view->value + 23), bpi_load_u8(view->value + 22));
}

/* unit: 10^-9 quote */
static inline uint64_t market_instrument_meta_get_tick_size(const market_instrument_meta_view *view) {
    return bpi_load_u64(view->value + 8);
}

static inline uint32_t market_instrument_meta_get_lot_size(const market_instrument_meta_view *view) {
    return bpi_load_u32(view->value + 16);
}

static inline uint16_t market_instrument_meta_get_venue(const market_instrument_meta_view *view) {
    return bpi_load_u16(view->value + 20);
}

static inline uint8_t market_instrument_meta_get_decimals(const market_instrument_meta_view *view) {
    return bpi_load_u8(view->value + 47);
}

/* The state of an on-chain liquidity pool after a block. */
typedef struct market_pool_state_update {
    /* Contract address of the pool */
    uint8_t pool[20];
    uint64_t block_number;
    /* unit: ns */
    uint64_t timestamp;
    bp_u256 reserve0;
    bp_u256 reserve1;
    /* Q64.96 */
    bp_u256 sqrt_price;
    bool has_liquidity;
    bp_u128 liquidity;
    /* Current tick of a concentrated pool */
    bool has_tick;
    int32_t tick;
    /* unit: 10^-6 */
    uint32_t fee;
} market_pool_state_update;
#ifdef __cplusplus
#define MARKET_POOL_STATE_UPDATE_INIT {}
#else
#define MARKET_POOL_STATE_UPDATE_INIT {0}
#endif

/* PoolStateUpdate, read where it lies. */
typedef struct market_pool_state_update_view {
    const uint8_t *value;
    uint32_t block_length;
} market_pool_state_update_view;

BP_NODISCARD bp_err market_pool_state_update_size(const market_pool_state_update *message, uint32_t *out);
BP_NODISCARD bp_err market_pool_state_update_encode(const market_pool_state_update *message, uint8_t *out, size_t capacity,
                                                    uint32_t *length);
BP_NODISCARD bp_err market_pool_state_update_decode(const uint8_t *value, size_t length, market_pool_state_update *out);
BP_NODISCARD bp_err market_pool_state_update_decode_valid(const uint8_t *value, size_t length, market_pool_state_update *out,
                                                          const char **field);
void market_pool_state_update_load(const market_pool_state_update_view *view, market_pool_state_update *out);
BP_NODISCARD static inline bp_err market_pool_state_update_view_init(const uint8_t *value, size_t length, market_pool_state_update_view *out);
BP_NODISCARD bp_err market_pool_state_update_validate(const market_pool_state_update_view *view, const char **field);
int market_pool_state_update_print(const market_pool_state_update_view *view, char *out, size_t size);

/* Whether the block's bytes are well-formed. */
static inline void market_pool_state_update_check_block_(const market_pool_state_update_view *view, bpi_flaws *flaws) {
    const uint8_t present_1 = bpi_load_u8(view->value + 136);
    flaws->malformed |= present_1 & UINT8_C(0xfc);
    if ((present_1 & UINT8_C(0x1)) == 0) {
        flaws->malformed |= !bpi_is_zero(view->value + 112, 16);
    }
    if ((present_1 & UINT8_C(0x2)) == 0) {
        flaws->malformed |= !bpi_is_zero(view->value + 128, 4);
    }
}

/* Checks length and block. */
static inline bp_err market_pool_state_update_open_(const uint8_t *value, size_t length, market_pool_state_update_view *view,
                                                    bpi_flaws *flaws) {
    if (BP_UNLIKELY(length < MARKET_POOL_STATE_UPDATE_ACCEPT_MIN)) return BP_ERR_TRUNCATED;
    if (BP_UNLIKELY(length > MARKET_POOL_STATE_UPDATE_ACCEPT_MAX)) return BP_ERR_BOUND;
    const uint32_t block_length = (uint32_t)length;
    view->value = value;
    view->block_length = block_length;
    market_pool_state_update_check_block_(view, flaws);
    return BP_OK;
}

static inline bp_err market_pool_state_update_view_init(const uint8_t *value, size_t length, market_pool_state_update_view *out) {
    bpi_flaws flaws = {0, 0};
    bp_err err = market_pool_state_update_open_(value, length, out, &flaws);
    if (BP_LIKELY(err == BP_OK)) err = bpi_flaws_err(&flaws);
    if (BP_UNLIKELY(err != BP_OK)) memset(out, 0, sizeof *out);
    return err;
}

/* Contract address of the pool */
static inline bp_bytes market_pool_state_update_get_pool(const market_pool_state_update_view *view) {
    return bpi_bytes(view->value + 137, 20);
}

static inline uint64_t market_pool_state_update_get_block_number(const market_pool_state_update_view *view) {
    return bpi_load_u64(view->value + 0);
}

/* unit: ns */
static inline uint64_t market_pool_state_update_get_timestamp(const market_pool_state_update_view *view) {
    return bpi_load_u64(view->value + 8);
}

static inline bp_u256 market_pool_state_update_get_reserve0(const market_pool_state_update_view *view) {
    return bpi_load_u256(view->value + 16);
}

static inline bp_u256 market_pool_state_update_get_reserve1(const market_pool_state_update_view *view) {
    return bpi_load_u256(view->value + 48);
}

/* Q64.96 */
static inline bp_u256 market_pool_state_update_get_sqrt_price(const market_pool_state_update_view *view) {
    return bpi_load_u256(view->value + 80);
}

static inline bool market_pool_state_update_has_liquidity(const market_pool_state_update_view *view) {
    return (bpi_load_u8(view->value + 136) & UINT8_C(0x1)) != 0;
}
static inline bp_u128 market_pool_state_update_get_liquidity(const market_pool_state_update_view *view) {
    return bpi_load_u128(view->value + 112);
}

static inline bool market_pool_state_update_has_tick(const market_pool_state_update_view *view) {
    return (bpi_load_u8(view->value + 136) & UINT8_C(0x2)) != 0;
}
/* Current tick of a concentrated pool */
static inline int32_t market_pool_state_update_get_tick(const market_pool_state_update_view *view) {
    return bpi_load_i32(view->value + 128);
}

/* unit: 10^-6 */
static inline uint32_t market_pool_state_update_get_fee(const market_pool_state_update_view *view) {
    return bpi_load_u32(view->value + 132);
}

/* Depth of one instrument. */
typedef struct market_order_book {
    uint64_t instrument_id;
    /* Rises by one with every book of an instrument */
    uint64_t sequence;
    /* unit: ns */
    uint64_t timestamp;
    /* Best first */
    market_level bids[MARKET_ORDER_BOOK_BIDS_CAP];
    uint16_t bids_count;
    /* Best first */
    market_level asks[MARKET_ORDER_BOOK_ASKS_CAP];
    uint16_t asks_count;
} market_order_book;
#ifdef __cplusplus
#define MARKET_ORDER_BOOK_INIT {}
#else
#define MARKET_ORDER_BOOK_INIT {0}
#endif

/* OrderBook, read where it lies. */
typedef struct market_order_book_view {
    const uint8_t *value;
    uint32_t block_length;
    uint32_t bids_at, bids_count;
    uint32_t asks_at, asks_count;
} market_order_book_view;

BP_NODISCARD bp_err market_order_book_size(const market_order_book *message, uint32_t *out);
BP_NODISCARD bp_err market_order_book_encode(const market_order_book *message, uint8_t *out, size_t capacity,
                                             uint32_t *length);
BP_NODISCARD bp_err market_order_book_decode(const uint8_t *value, size_t length, market_order_book *out);
BP_NODISCARD bp_err market_order_book_decode_valid(const uint8_t *value, size_t length, market_order_book *out,
                                                   const char **field);
void market_order_book_load(const market_order_book_view *view, market_order_book *out);
BP_NODISCARD bp_err market_order_book_view_init(const uint8_t *value, size_t length, market_order_book_view *out);
BP_NODISCARD bp_err market_order_book_validate(const market_order_book_view *view, const char **field);
int market_order_book_print(const market_order_book_view *view, char *out, size_t size);

static inline uint64_t market_order_book_get_instrument_id(const market_order_book_view *view) {
    return bpi_load_u64(view->value + 0);
}

/* Rises by one with every book of an instrument */
static inline uint64_t market_order_book_get_sequence(const market_order_book_view *view) {
    return bpi_load_u64(view->value + 8);
}

/* unit: ns */
static inline uint64_t market_order_book_get_timestamp(const market_order_book_view *view) {
    return bpi_load_u64(view->value + 16);
}

/* Best first */
static inline uint32_t market_order_book_bids_count(const market_order_book_view *view) {
    return view->bids_count;
}
static inline market_level market_order_book_bids_at(const market_order_book_view *view, uint32_t index) {
    BPI_ASSERT(index < market_order_book_bids_count(view));
    const uint8_t *const at = view->value + view->bids_at + (size_t)index * 24;
    market_level out;
    market_level_load_(at, &out);
    return out;
}

/* Best first */
static inline uint32_t market_order_book_asks_count(const market_order_book_view *view) {
    return view->asks_count;
}
static inline market_level market_order_book_asks_at(const market_order_book_view *view, uint32_t index) {
    BPI_ASSERT(index < market_order_book_asks_count(view));
    const uint8_t *const at = view->value + view->asks_at + (size_t)index * 24;
    market_level out;
    market_level_load_(at, &out);
    return out;
}

/* A path over several pools on which a round trip would have gained. */
typedef struct market_arbitrage_signal {
    uint64_t signal_id;
    /* Pools in the order of the trade */
    uint8_t path[MARKET_ARBITRAGE_SIGNAL_PATH_CAP][20];
    uint16_t path_count;
    /* unit: wei */
    bp_u256 expected_profit;
    uint64_t gas_estimate;
    market_side side;
    float confidence;
} market_arbitrage_signal;
#ifdef __cplusplus
#define MARKET_ARBITRAGE_SIGNAL_INIT {}
#else
#define MARKET_ARBITRAGE_SIGNAL_INIT {0}
#endif

/* ArbitrageSignal, read where it lies. */
typedef struct market_arbitrage_signal_view {
    const uint8_t *value;
    uint32_t block_length;
    uint32_t path_at, path_count;
} market_arbitrage_signal_view;

BP_NODISCARD bp_err market_arbitrage_signal_size(const market_arbitrage_signal *message, uint32_t *out);
BP_NODISCARD bp_err market_arbitrage_signal_encode(const market_arbitrage_signal *message, uint8_t *out, size_t capacity,
                                                   uint32_t *length);
BP_NODISCARD bp_err market_arbitrage_signal_decode(const uint8_t *value, size_t length, market_arbitrage_signal *out);
BP_NODISCARD bp_err market_arbitrage_signal_decode_valid(const uint8_t *value, size_t length, market_arbitrage_signal *out,
                                                         const char **field);
void market_arbitrage_signal_load(const market_arbitrage_signal_view *view, market_arbitrage_signal *out);
BP_NODISCARD bp_err market_arbitrage_signal_view_init(const uint8_t *value, size_t length, market_arbitrage_signal_view *out);
BP_NODISCARD bp_err market_arbitrage_signal_validate(const market_arbitrage_signal_view *view, const char **field);
int market_arbitrage_signal_print(const market_arbitrage_signal_view *view, char *out, size_t size); /* values are redacted */

static inline uint64_t market_arbitrage_signal_get_signal_id(const market_arbitrage_signal_view *view) {
    return bpi_load_u64(view->value + 0);
}

/* Pools in the order of the trade */
static inline uint32_t market_arbitrage_signal_path_count(const market_arbitrage_signal_view *view) {
    return view->path_count;
}
static inline bp_bytes market_arbitrage_signal_path_at(const market_arbitrage_signal_view *view, uint32_t index) {
    BPI_ASSERT(index < market_arbitrage_signal_path_count(view));
    const uint8_t *const at = view->value + view->path_at + (size_t)index * 20;
    return bpi_bytes(at, 20);
}

/* unit: wei */
static inline bp_u256 market_arbitrage_signal_get_expected_profit(const market_arbitrage_signal_view *view) {
    return bpi_load_u256(view->value + 8);
}

static inline uint64_t market_arbitrage_signal_get_gas_estimate(const market_arbitrage_signal_view *view) {
    return bpi_load_u64(view->value + 40);
}

static inline market_side market_arbitrage_signal_get_side(const market_arbitrage_signal_view *view) {
    return bpi_load_u8(view->value + 56);
}

static inline float market_arbitrage_signal_get_confidence(const market_arbitrage_signal_view *view) {
    return bpi_load_f32(view->value + 48);
}

/* The collector's answer to an order book. */
typedef struct market_book_ack {
    uint64_t sequence;
} market_book_ack;
#ifdef __cplusplus
#define MARKET_BOOK_ACK_INIT {}
#else
#define MARKET_BOOK_ACK_INIT {0}
#endif

/* BookAck, read where it lies. */
typedef struct market_book_ack_view {
    const uint8_t *value;
    uint32_t block_length;
} market_book_ack_view;

BP_NODISCARD bp_err market_book_ack_size(const market_book_ack *message, uint32_t *out);
BP_NODISCARD bp_err market_book_ack_encode(const market_book_ack *message, uint8_t *out, size_t capacity,
                                           uint32_t *length);
BP_NODISCARD bp_err market_book_ack_decode(const uint8_t *value, size_t length, market_book_ack *out);
BP_NODISCARD bp_err market_book_ack_decode_valid(const uint8_t *value, size_t length, market_book_ack *out,
                                                 const char **field);
void market_book_ack_load(const market_book_ack_view *view, market_book_ack *out);
BP_NODISCARD static inline bp_err market_book_ack_view_init(const uint8_t *value, size_t length, market_book_ack_view *out);
BP_NODISCARD bp_err market_book_ack_validate(const market_book_ack_view *view, const char **field);
int market_book_ack_print(const market_book_ack_view *view, char *out, size_t size);

/* Checks length and block. */
static inline bp_err market_book_ack_open_(const uint8_t *value, size_t length, market_book_ack_view *view,
                                           bpi_flaws *flaws) {
    if (BP_UNLIKELY(length < MARKET_BOOK_ACK_ACCEPT_MIN)) return BP_ERR_TRUNCATED;
    if (BP_UNLIKELY(length > MARKET_BOOK_ACK_ACCEPT_MAX)) return BP_ERR_BOUND;
    const uint32_t block_length = (uint32_t)length;
    view->value = value;
    view->block_length = block_length;
    (void)flaws;
    return BP_OK;
}

static inline bp_err market_book_ack_view_init(const uint8_t *value, size_t length, market_book_ack_view *out) {
    bpi_flaws flaws = {0, 0};
    bp_err err = market_book_ack_open_(value, length, out, &flaws);
    if (BP_LIKELY(err == BP_OK)) err = bpi_flaws_err(&flaws);
    if (BP_UNLIKELY(err != BP_OK)) memset(out, 0, sizeof *out);
    return err;
}

static inline uint64_t market_book_ack_get_sequence(const market_book_ack_view *view) {
    return bpi_load_u64(view->value + 0);
}

/* Load and memory of the machine at one moment. */
typedef struct market_host_sample {
    /* unit: ns */
    uint64_t timestamp;
    /* unit: ms */
    uint64_t uptime;
    /* unit: bytes */
    uint64_t memory_total;
    /* unit: bytes */
    uint64_t memory_available;
    /* unit: ticks */
    uint64_t cpu_busy;
    /* unit: ticks */
    uint64_t cpu_idle;
    /* 1, 5 and 15 minutes */
    float load[3];
    uint32_t process_count;
} market_host_sample;
#ifdef __cplusplus
#define MARKET_HOST_SAMPLE_INIT {}
#else
#define MARKET_HOST_SAMPLE_INIT {0}
#endif

/* HostSample, read where it lies. */
typedef struct market_host_sample_view {
    const uint8_t *value;
    uint32_t block_length;
} market_host_sample_view;

BP_NODISCARD bp_err market_host_sample_size(const market_host_sample *message, uint32_t *out);
BP_NODISCARD bp_err market_host_sample_encode(const market_host_sample *message, uint8_t *out, size_t capacity,
                                              uint32_t *length);
BP_NODISCARD bp_err market_host_sample_decode(const uint8_t *value, size_t length, market_host_sample *out);
BP_NODISCARD bp_err market_host_sample_decode_valid(const uint8_t *value, size_t length, market_host_sample *out,
                                                    const char **field);
void market_host_sample_load(const market_host_sample_view *view, market_host_sample *out);
BP_NODISCARD static inline bp_err market_host_sample_view_init(const uint8_t *value, size_t length, market_host_sample_view *out);
BP_NODISCARD bp_err market_host_sample_validate(const market_host_sample_view *view, const char **field);
int market_host_sample_print(const market_host_sample_view *view, char *out, size_t size);

/* Checks length and block. */
static inline bp_err market_host_sample_open_(const uint8_t *value, size_t length, market_host_sample_view *view,
                                              bpi_flaws *flaws) {
    if (BP_UNLIKELY(length < MARKET_HOST_SAMPLE_ACCEPT_MIN)) return BP_ERR_TRUNCATED;
    if (BP_UNLIKELY(length > MARKET_HOST_SAMPLE_ACCEPT_MAX)) return BP_ERR_BOUND;
    const uint32_t block_length = (uint32_t)length;
    view->value = value;
    view->block_length = block_length;
    (void)flaws;
    return BP_OK;
}

static inline bp_err market_host_sample_view_init(const uint8_t *value, size_t length, market_host_sample_view *out) {
    bpi_flaws flaws = {0, 0};
    bp_err err = market_host_sample_open_(value, length, out, &flaws);
    if (BP_LIKELY(err == BP_OK)) err = bpi_flaws_err(&flaws);
    if (BP_UNLIKELY(err != BP_OK)) memset(out, 0, sizeof *out);
    return err;
}

/* unit: ns */
static inline uint64_t market_host_sample_get_timestamp(const market_host_sample_view *view) {
    return bpi_load_u64(view->value + 0);
}

/* unit: ms */
static inline uint64_t market_host_sample_get_uptime(const market_host_sample_view *view) {
    return bpi_load_u64(view->value + 8);
}

/* unit: bytes */
static inline uint64_t market_host_sample_get_memory_total(const market_host_sample_view *view) {
    return bpi_load_u64(view->value + 16);
}

/* unit: bytes */
static inline uint64_t market_host_sample_get_memory_available(const market_host_sample_view *view) {
    return bpi_load_u64(view->value + 24);
}

/* unit: ticks */
static inline uint64_t market_host_sample_get_cpu_busy(const market_host_sample_view *view) {
    return bpi_load_u64(view->value + 32);
}

/* unit: ticks */
static inline uint64_t market_host_sample_get_cpu_idle(const market_host_sample_view *view) {
    return bpi_load_u64(view->value + 40);
}

/* 1, 5 and 15 minutes */
static inline uint32_t market_host_sample_load_count(const market_host_sample_view *view) {
    (void)view;
    return 3;
}
static inline float market_host_sample_load_at(const market_host_sample_view *view, uint32_t index) {
    BPI_ASSERT(index < market_host_sample_load_count(view));
    const uint8_t *const at = view->value + 48 + (size_t)index * 4;
    return bpi_load_f32(at);
}

static inline uint32_t market_host_sample_get_process_count(const market_host_sample_view *view) {
    return bpi_load_u32(view->value + 60);
}

/* One process at one moment. */
typedef struct market_process_sample {
    /* unit: ns */
    uint64_t timestamp;
    uint32_t pid;
    uint32_t parent;
    char name[MARKET_PROCESS_SAMPLE_NAME_CAP + 1];
    uint8_t name_length;
    /* Command line, cut at 160 bytes */
    bool has_command;
    char command[MARKET_PROCESS_SAMPLE_COMMAND_CAP + 1];
    uint16_t command_length;
    /* As in /proc/PID/stat */
    uint8_t state;
    uint32_t threads;
    /* unit: bytes */
    uint64_t resident;
    /* unit: ticks */
    uint64_t cpu_time;
    /* unit: bytes */
    bool has_read_bytes;
    uint64_t read_bytes;
} market_process_sample;
#ifdef __cplusplus
#define MARKET_PROCESS_SAMPLE_INIT {}
#else
#define MARKET_PROCESS_SAMPLE_INIT {0}
#endif

/* ProcessSample, read where it lies. */
typedef struct market_process_sample_view {
    const uint8_t *value;
    uint32_t block_length;
    uint32_t command_at, command_count;
} market_process_sample_view;

BP_NODISCARD bp_err market_process_sample_size(const market_process_sample *message, uint32_t *out);
BP_NODISCARD bp_err market_process_sample_encode(const market_process_sample *message, uint8_t *out, size_t capacity,
                                                 uint32_t *length);
BP_NODISCARD bp_err market_process_sample_decode(const uint8_t *value, size_t length, market_process_sample *out);
BP_NODISCARD bp_err market_process_sample_decode_valid(const uint8_t *value, size_t length, market_process_sample *out,
                                                       const char **field);
void market_process_sample_load(const market_process_sample_view *view, market_process_sample *out);
BP_NODISCARD bp_err market_process_sample_view_init(const uint8_t *value, size_t length, market_process_sample_view *out);
BP_NODISCARD bp_err market_process_sample_validate(const market_process_sample_view *view, const char **field);
int market_process_sample_print(const market_process_sample_view *view, char *out, size_t size);

/* unit: ns */
static inline uint64_t market_process_sample_get_timestamp(const market_process_sample_view *view) {
    return bpi_load_u64(view->value + 0);
}

static inline uint32_t market_process_sample_get_pid(const market_process_sample_view *view) {
    return bpi_load_u32(view->value + 32);
}

static inline uint32_t market_process_sample_get_parent(const market_process_sample_view *view) {
    return bpi_load_u32(view->value + 36);
}

static inline bp_text market_process_sample_get_name(const market_process_sample_view *view) {
    return bpi_text((const char *)(view->value + 50), bpi_load_u8(view->value + 49));
}

static inline bool market_process_sample_has_command(const market_process_sample_view *view) {
    return (bpi_load_u8(view->value + 48) & UINT8_C(0x1)) != 0;
}
/* Command line, cut at 160 bytes */
static inline bp_text market_process_sample_get_command(const market_process_sample_view *view) {
    return bpi_text((const char *)view->value + view->command_at, view->command_count);
}

/* As in /proc/PID/stat */
static inline uint8_t market_process_sample_get_state(const market_process_sample_view *view) {
    return bpi_load_u8(view->value + 82);
}

static inline uint32_t market_process_sample_get_threads(const market_process_sample_view *view) {
    return bpi_load_u32(view->value + 40);
}

/* unit: bytes */
static inline uint64_t market_process_sample_get_resident(const market_process_sample_view *view) {
    return bpi_load_u64(view->value + 8);
}

/* unit: ticks */
static inline uint64_t market_process_sample_get_cpu_time(const market_process_sample_view *view) {
    return bpi_load_u64(view->value + 16);
}

static inline bool market_process_sample_has_read_bytes(const market_process_sample_view *view) {
    return (bpi_load_u8(view->value + 48) & UINT8_C(0x2)) != 0;
}
/* unit: bytes */
static inline uint64_t market_process_sample_get_read_bytes(const market_process_sample_view *view) {
    return bpi_load_u64(view->value + 24);
}

/* One line of a log. */
typedef struct market_log_line {
    /* unit: ns */
    uint64_t timestamp;
    market_severity severity;
    char source[MARKET_LOG_LINE_SOURCE_CAP + 1];
    uint8_t source_length;
    /* With the rest it fills the class of 4096 bytes */
    char text[MARKET_LOG_LINE_TEXT_CAP + 1];
    uint16_t text_length;
} market_log_line;
#ifdef __cplusplus
#define MARKET_LOG_LINE_INIT {}
#else
#define MARKET_LOG_LINE_INIT {0}
#endif

/* LogLine, read where it lies. */
typedef struct market_log_line_view {
    const uint8_t *value;
    uint32_t block_length;
    uint32_t text_at, text_count;
} market_log_line_view;

BP_NODISCARD bp_err market_log_line_size(const market_log_line *message, uint32_t *out);
BP_NODISCARD bp_err market_log_line_encode(const market_log_line *message, uint8_t *out, size_t capacity,
                                           uint32_t *length);
BP_NODISCARD bp_err market_log_line_decode(const uint8_t *value, size_t length, market_log_line *out);
BP_NODISCARD bp_err market_log_line_decode_valid(const uint8_t *value, size_t length, market_log_line *out,
                                                 const char **field);
void market_log_line_load(const market_log_line_view *view, market_log_line *out);
BP_NODISCARD bp_err market_log_line_view_init(const uint8_t *value, size_t length, market_log_line_view *out);
BP_NODISCARD bp_err market_log_line_validate(const market_log_line_view *view, const char **field);
int market_log_line_print(const market_log_line_view *view, char *out, size_t size);

/* unit: ns */
static inline uint64_t market_log_line_get_timestamp(const market_log_line_view *view) {
    return bpi_load_u64(view->value + 0);
}

static inline market_severity market_log_line_get_severity(const market_log_line_view *view) {
    return bpi_load_u8(view->value + 12);
}

static inline bp_text market_log_line_get_source(const market_log_line_view *view) {
    return bpi_text((const char *)(view->value + 14), bpi_load_u8(view->value + 13));
}

/* With the rest it fills the class of 4096 bytes */
static inline bp_text market_log_line_get_text(const market_log_line_view *view) {
    return bpi_text((const char *)view->value + view->text_at, view->text_count);
}

/* A whole file, as it was at one moment. */
typedef struct market_snapshot {
    /* unit: ns */
    uint64_t timestamp;
    char name[MARKET_SNAPSHOT_NAME_CAP + 1];
    uint16_t name_length;
    /* With the rest it fits the class of 256 KiB */
    const uint8_t *content; /* the caller's memory on encode, the decoded value's on decode */
    uint32_t content_length;
} market_snapshot;
#ifdef __cplusplus
#define MARKET_SNAPSHOT_INIT {}
#else
#define MARKET_SNAPSHOT_INIT {0}
#endif

/* Snapshot, read where it lies. */
typedef struct market_snapshot_view {
    const uint8_t *value;
    uint32_t block_length;
    uint32_t name_at, name_count;
    uint32_t content_at, content_count;
} market_snapshot_view;

BP_NODISCARD bp_err market_snapshot_size(const market_snapshot *message, uint32_t *out);
BP_NODISCARD bp_err market_snapshot_encode(const market_snapshot *message, uint8_t *out, size_t capacity,
                                           uint32_t *length);
BP_NODISCARD bp_err market_snapshot_place(const market_snapshot *message, uint8_t *out, size_t capacity,
                                          uint32_t *length, uint8_t **data); /* of content */
BP_NODISCARD bp_err market_snapshot_decode(const uint8_t *value, size_t length, market_snapshot *out);
BP_NODISCARD bp_err market_snapshot_decode_valid(const uint8_t *value, size_t length, market_snapshot *out,
                                                 const char **field);
void market_snapshot_load(const market_snapshot_view *view, market_snapshot *out);
BP_NODISCARD bp_err market_snapshot_view_init(const uint8_t *value, size_t length, market_snapshot_view *out);
BP_NODISCARD bp_err market_snapshot_validate(const market_snapshot_view *view, const char **field);
int market_snapshot_print(const market_snapshot_view *view, char *out, size_t size);

/* unit: ns */
static inline uint64_t market_snapshot_get_timestamp(const market_snapshot_view *view) {
    return bpi_load_u64(view->value + 0);
}

static inline bp_text market_snapshot_get_name(const market_snapshot_view *view) {
    return bpi_text((const char *)view->value + view->name_at, view->name_count);
}

/* With the rest it fits the class of 256 KiB */
static inline bp_bytes market_snapshot_get_content(const market_snapshot_view *view) {
    return bpi_bytes(view->value + view->content_at, view->content_count);
}

#ifdef __cplusplus
}
#endif
#endif
