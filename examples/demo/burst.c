#include "burst.h"

#include <stdio.h>
#include <string.h>

static uint64_t next_random(demo_burst *burst) { /* Marsaglia, "Xorshift RNGs", 2003 */
    burst->random ^= burst->random << 13;
    burst->random ^= burst->random >> 7;
    burst->random ^= burst->random << 17;
    return burst->random;
}

static uint64_t timestamp_of(const demo_burst *burst) { return 1700000000000000000u + burst->step * 1000; }

static uint64_t instrument_of(const demo_burst *burst) { return burst->step % DEMO_INSTRUMENT_COUNT; }

static void fill_address(demo_burst *burst, uint8_t address[20]) {
    const uint64_t low = next_random(burst), high = next_random(burst);
    memcpy(address, &low, 8);
    memcpy(address + 8, &high, 8);
    memcpy(address + 16, &low, 4);
}

static void make_instrument_meta(demo_burst *burst) {
    static const char *const assets[] = {"ETH", "BTC", "SOL", "ARB", "OP", "LINK", "UNI", "AAVE"};
    market_instrument_meta meta = MARKET_INSTRUMENT_META_INIT;
    const uint64_t instrument = instrument_of(burst);
    meta.instrument_id = instrument + 1;
    const int length = snprintf(meta.symbol, sizeof meta.symbol, "%s-%s", assets[instrument % 8],
                                instrument < 8 ? "USDC" : "EUR");
    meta.symbol_length = (uint8_t)length;
    meta.tick_size = 10000000;
    meta.lot_size = 100;
    meta.venue = (uint16_t)(1 + instrument / 8);
    meta.decimals = 18;
    burst->kind = DEMO_INSTRUMENT_META;
    burst->next.instrument_meta = meta;
}

static void make_pool_state_update(demo_burst *burst) {
    market_pool_state_update update = MARKET_POOL_STATE_UPDATE_INIT;
    fill_address(burst, update.pool);
    update.block_number = 18000000 + burst->step / 200;
    update.timestamp = timestamp_of(burst);
    for (int i = 0; i < 2; i++) {
        update.reserve0.limb[i] = next_random(burst);
        update.reserve1.limb[i] = next_random(burst);
    }
    update.sqrt_price.limb[1] = burst->price[instrument_of(burst)];
    update.has_tick = (burst->step & 1) != 0;
    update.tick = (int32_t)(next_random(burst) % 200000) - 100000;
    update.has_liquidity = update.has_tick;
    update.liquidity.limb[0] = next_random(burst);
    update.fee = 3000;
    burst->kind = DEMO_POOL_STATE_UPDATE;
    burst->next.pool_state_update = update;
}

static void make_order_book(demo_burst *burst) {
    market_order_book *book = &burst->next.order_book;
    const uint64_t instrument = instrument_of(burst), random = next_random(burst);
    const uint64_t price = burst->price[instrument] += random % 21 - 10;
    burst->kind = DEMO_ORDER_BOOK;
    book->instrument_id = instrument + 1;
    book->sequence = burst->sequence[instrument] + 1;
    book->timestamp = timestamp_of(burst);
    book->bids_count = (uint16_t)(4 + random % 16);
    book->asks_count = (uint16_t)(4 + (random >> 8) % 16);
    for (uint32_t i = 0; i < book->bids_count; i++) {
        book->bids[i] = (market_level){.price = price - i, .quantity = (random >> i) % 9999 + 1, .orders = i + 1};
    }
    for (uint32_t i = 0; i < book->asks_count; i++) {
        book->asks[i] = (market_level){.price = price + 1 + i, .quantity = (random >> i) % 7777 + 1, .orders = i + 1};
    }
}

static void make_arbitrage_signal(demo_burst *burst) {
    market_arbitrage_signal signal = MARKET_ARBITRAGE_SIGNAL_INIT;
    signal.signal_id = burst->step + 1;
    signal.path_count = (uint16_t)(2 + next_random(burst) % 3);
    for (uint32_t i = 0; i < signal.path_count; i++) fill_address(burst, signal.path[i]);
    signal.expected_profit.limb[0] = next_random(burst);
    signal.gas_estimate = 150000 + next_random(burst) % 300000;
    signal.side = (burst->step & 1) != 0 ? MARKET_SIDE_BUY : MARKET_SIDE_SELL;
    signal.confidence = (float)(next_random(burst) % 1000) / 1000.0f;
    burst->kind = DEMO_ARBITRAGE_SIGNAL;
    burst->next.arbitrage_signal = signal;
}

static void make_log_line(demo_burst *burst) {
    market_log_line *line = &burst->next.log_line;
    burst->kind = DEMO_LOG_LINE;
    line->timestamp = timestamp_of(burst);
    line->severity = MARKET_SEVERITY_INFO;
    line->source_length = (uint8_t)snprintf(line->source, sizeof line->source, "burst");
    const int length = snprintf(line->text, sizeof line->text, "step %llu: instrument %llu trades at %llu; %.*s",
                                (unsigned long long)burst->step, (unsigned long long)instrument_of(burst) + 1,
                                (unsigned long long)burst->price[instrument_of(burst)],
                                (int)(next_random(burst) % 400),
                                "the book was rebuilt from a snapshot, levels beyond the bound were cut, the feed is "
                                "complete again, and nothing was lost on the way from the venue to the collector");
    line->text_length = (uint16_t)length;
}

static void make_snapshot(demo_burst *burst) {
    market_snapshot *snapshot = &burst->next.snapshot;
    burst->kind = DEMO_SNAPSHOT;
    snapshot->timestamp = timestamp_of(burst);
    snapshot->name_length = (uint8_t)snprintf(snapshot->name, sizeof snapshot->name, "kernel-state");
    snapshot->content = burst->file;
    snapshot->content_length = burst->file_length;
}

static void make_next(demo_burst *burst) {
    const uint64_t step = burst->step;
    if (step < DEMO_INSTRUMENT_COUNT || step % 1024 == 3) {
        make_instrument_meta(burst);
    } else if (step % 4096 == 4) {
        make_snapshot(burst);
    } else if (step % 256 == 5) {
        make_log_line(burst);
    } else if (step % 32 == 6) {
        make_arbitrage_signal(burst);
    } else if (step % 2 == 0) {
        make_pool_state_update(burst);
    } else {
        make_order_book(burst);
    }
}

void demo_burst_init(demo_burst *burst, const uint8_t *file, uint32_t file_length) {
    memset(burst, 0, sizeof *burst);
    burst->random = 88172645463325252u;
    burst->file = file;
    burst->file_length = file_length;
    for (uint64_t i = 0; i < DEMO_INSTRUMENT_COUNT; i++) burst->price[i] = 100000 * (i + 1);
    make_next(burst);
}

static bp_err send_current(demo_burst *burst, bp_conn *conn) {
    switch (burst->kind) {
    case DEMO_INSTRUMENT_META: return market_send_instrument_meta(conn, &burst->next.instrument_meta);
    case DEMO_POOL_STATE_UPDATE: return market_send_pool_state_update(conn, &burst->next.pool_state_update);
    case DEMO_ORDER_BOOK: return market_send_order_book(conn, &burst->next.order_book);
    case DEMO_ARBITRAGE_SIGNAL: return market_send_arbitrage_signal(conn, &burst->next.arbitrage_signal);
    case DEMO_LOG_LINE: return market_send_log_line(conn, &burst->next.log_line);
    default: return market_send_snapshot(conn, &burst->next.snapshot);
    }
}

bp_err demo_burst_send(demo_burst *burst, bp_conn *conn) {
    const bp_err err = send_current(burst, conn);
    if (err != BP_OK) return err;
    if (burst->kind == DEMO_ORDER_BOOK) burst->sequence[instrument_of(burst)]++;
    burst->step++;
    make_next(burst);
    return BP_OK;
}
