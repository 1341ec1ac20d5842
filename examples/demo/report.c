/* What the demo shows: progress while it runs, one table per transport, and whether its claims held. */
#define _POSIX_C_SOURCE 200809L
#include "demo.h"
#include "tests/support/alloc_count.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *const message_names[] = {
#define MESSAGE_NAME(name, NAME) [DEMO_##NAME] = #name,
    MARKET_MESSAGES(MESSAGE_NAME)
#undef MESSAGE_NAME
};

uint64_t demo_side_messages(const demo_side *side) {
    uint64_t sum = 0;
    for (int i = 0; i < DEMO_MESSAGE_COUNT; i++) sum += side->messages[i];
    return sum;
}

void demo_side_open(demo_side *side, bp_pool *pool) {
    bp_pool_stats stats;
    bp_pool_stats_read(pool, &stats);
    side->committed_start = stats.committed_bytes;
}

void demo_side_close(demo_side *side, bp_pool *pool) {
    bp_pool_stats stats;
    bp_pool_stats_read(pool, &stats);
    side->total = stats.total;
    side->class_count = stats.class_count;
    side->committed_peak = stats.committed_peak_bytes;
    side->in_use_end = stats.total.in_use + stats.exact_in_use;
    for (uint32_t i = 0; i < stats.class_count; i++) {
        if (bp_pool_class_stats_read(pool, i, &side->classes[i]) != BP_OK) side->class_count = i;
    }
    bp_pool_trim(pool, false);
    bp_pool_stats_read(pool, &stats);
    side->committed_after_trim = stats.committed_bytes;
}

void demo_progress(const char *text) {
    if (isatty(STDOUT_FILENO)) {
        printf("\r\033[K%s", text);
    } else {
        printf("%s\n", text);
    }
    fflush(stdout);
}

void demo_progress_end(void) {
    if (isatty(STDOUT_FILENO)) printf("\r\033[K");
    fflush(stdout);
}

static double hit_rate(const bp_class_stats *stats) {
    return stats->acquires == 0 ? 1.0 : 1.0 - (double)stats->misses / (double)stats->acquires;
}

static double per_message(const demo_side *side) {
    const uint64_t messages = demo_side_messages(side);
    return messages == 0 ? 0 : (double)side->allocations / (double)messages;
}

static void print_side(const char *name, const char *verb, const demo_side *side) {
    const double seconds = (double)side->nanoseconds / 1e9;
    const uint64_t messages = demo_side_messages(side);
    printf("  %s\n", name);
    printf("    %-12s %12llu messages   %8.2f M/s   %8.1f MB/s   in %.2f s\n", verb, (unsigned long long)messages,
           (double)messages / seconds / 1e6, (double)side->bytes / seconds / 1e6, seconds);
    if (bpt_alloc_is_counted()) {
        printf("    %-12s %12llu calls of malloc = %.6f per message\n", "allocations",
               (unsigned long long)side->allocations, per_message(side));
    }
    printf("    %-12s start %llu KiB, peak %llu KiB, after a full trim %llu KiB; buffers in use at the end: %llu\n",
           "committed", (unsigned long long)side->committed_start / 1024,
           (unsigned long long)side->committed_peak / 1024, (unsigned long long)side->committed_after_trim / 1024,
           (unsigned long long)side->in_use_end);
    printf("    %-12s %12s %12s %9s %11s\n", "class", "acquires", "misses", "hit rate", "high water");
    for (uint32_t i = 0; i < side->class_count; i++) {
        const bp_class_stats *stats = &side->classes[i];
        if (stats->acquires == 0) continue;
        printf("    %-12u %12llu %12llu %8.3f%% %11llu\n", stats->size, (unsigned long long)stats->acquires,
               (unsigned long long)stats->misses, hit_rate(stats) * 100, (unsigned long long)stats->high_water);
    }
}

static void print_messages(const demo_side *collector) {
    printf("  delivered, by type\n   ");
    for (int i = 0; i < DEMO_MESSAGE_COUNT; i++) {
        if (collector->messages[i] == 0) continue;
        printf(" %s %llu", message_names[i], (unsigned long long)collector->messages[i]);
    }
    printf(" (and back: book_ack %llu)\n", (unsigned long long)collector->acks);
}

/* One claim; prints it and returns 1 when it does not hold. */
static int claim(bool holds, const char *text) {
    printf("    %s %s\n", holds ? "held   " : "BROKEN ", text);
    return holds ? 0 : 1;
}

static bool every_type_was_used(const demo_side *collector) {
    for (int i = 0; i < DEMO_MESSAGE_COUNT; i++) {
        if (collector->messages[i] == 0 && i != DEMO_BOOK_ACK) return false;
    }
    return collector->acks > 0;
}

int demo_report(const char *transport, const demo_side *collector, const demo_side *agent) {
    int broken = 0;
    printf("%s\n", transport);
    print_side("collector", "delivered", collector);
    print_side("agent", "sent", agent);
    print_messages(collector);
    printf("  claims\n");
    broken += claim(collector->ended == BP_ERR_END && agent->ended == BP_ERR_CLOSED, "the stream ended in order");
    broken += claim(memcmp(collector->messages, agent->messages, sizeof agent->messages) == 0,
                    "every message sent was delivered, type by type");
    broken += claim(collector->gaps == 0, "order books came in order, without a gap");
    broken += claim(agent->acks == collector->acks && agent->acks == agent->messages[DEMO_ORDER_BOOK],
                    "every order book was acknowledged");
    broken += claim(every_type_was_used(collector), "every message type was used");
    broken += claim(hit_rate(&collector->total) >= 0.99 && hit_rate(&agent->total) >= 0.99, "hit rate >= 99 %");
    if (bpt_alloc_is_counted()) {
        broken += claim(per_message(collector) < 0.001 && per_message(agent) < 0.001,
                        "less than one allocation per thousand messages, on either side");
    }
    broken += claim(collector->committed_start == 0 && agent->committed_start == 0, "a new pool has committed nothing");
    broken += claim(collector->in_use_end == 0 && agent->in_use_end == 0, "no buffer in use at the end");
    broken += claim(collector->committed_after_trim == 0 && agent->committed_after_trim == 0,
                    "nothing committed after a full trim");
    printf("\n");
    return broken;
}
