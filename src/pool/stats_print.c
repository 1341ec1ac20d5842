#include "bufpool/detail/bytes.h"
#include "bufpool/detail/print.h"
#include "bufpool/pool.h"

#include <string.h>

/* ---- the rows of stats.def ---- */

typedef enum kind { GAUGE, COUNTER } kind;

typedef struct row {
    const char *name, *unit;
    kind kind;
    const char *text;
    size_t offset; /* of the count in its struct */
} row;

static const row pool_rows[] = {
#define BP_POOL_STAT(name, unit, kind, text) {#name, unit, kind, text, offsetof(bp_pool_stats, name)},
#include "bufpool/stats.def"
};

static const row class_rows[] = {
#define BP_CLASS_STAT(name, unit, kind, merge, text) {#name, unit, kind, text, offsetof(bp_class_stats, name)},
#include "bufpool/stats.def"
};

enum { POOL_ROWS = sizeof pool_rows / sizeof pool_rows[0], CLASS_ROWS = sizeof class_rows / sizeof class_rows[0] };

static uint64_t value_of(const void *stats, const row *of) {
    uint64_t value;
    memcpy(&value, (const char *)stats + of->offset, sizeof value);
    return value;
}

static bool ends_with(const char *text, const char *end) {
    const size_t length = strlen(text), end_length = strlen(end);
    return length >= end_length && strcmp(text + length - end_length, end) == 0;
}

static void print_char(bpi_printer *printer, char c) {
    const char text[2] = {c, '\0'};
    bpi_print_raw(printer, text);
}

static size_t ended(bpi_printer *printer) {
    (void)bpi_print_end(printer);
    return printer->length;
}

/* ---- a table for people ---- */

enum { GAP = 2 };

static size_t digits_of(uint64_t value) {
    size_t count = 1;
    for (; value >= 10; value /= 10) count++;
    return count;
}

static void print_spaces(bpi_printer *printer, size_t count) {
    while (count-- > 0) print_char(printer, ' ');
}

/* Right-aligned. What grew since the width was found out gets more room. */
static void print_number(bpi_printer *printer, uint64_t value, size_t width) {
    const size_t digits = digits_of(value);
    print_spaces(printer, width > digits ? width - digits : 1);
    bpi_print_unsigned(printer, value);
}

static bool is_unit_missing(const row *of) { return strcmp(of->unit, "bytes") == 0 && !ends_with(of->name, "bytes"); }

static size_t label_length(const row *of) { return strlen(of->name) + (is_unit_missing(of) ? strlen(" bytes") : 0); }

/* The row's name in words. */
static void print_label(bpi_printer *printer, const row *of) {
    for (const char *at = of->name; *at != '\0'; at++) print_char(printer, *at == '_' ? ' ' : *at);
    if (is_unit_missing(of)) bpi_print_raw(printer, " bytes");
}

static size_t larger(size_t a, size_t b) { return a > b ? a : b; }

static void print_pool_rows(bpi_printer *printer, const bp_pool_stats *stats) {
    size_t label_width = 0, value_width = 0;
    for (size_t i = 0; i < POOL_ROWS; i++) {
        label_width = larger(label_width, label_length(&pool_rows[i]));
        value_width = larger(value_width, digits_of(value_of(stats, &pool_rows[i])));
    }
    for (size_t i = 0; i < POOL_ROWS; i++) {
        print_spaces(printer, GAP);
        print_label(printer, &pool_rows[i]);
        print_spaces(printer, label_width - label_length(&pool_rows[i]));
        print_number(printer, value_of(stats, &pool_rows[i]), GAP + value_width);
        print_char(printer, '\n');
    }
}

/* Of a column; the total has the largest number of each. */
static size_t width_of(const row *of, const bp_class_stats *total) {
    return GAP + larger(label_length(of), digits_of(value_of(total, of)));
}

static void print_heads(bpi_printer *printer, const bp_class_stats *total) {
    bpi_print_raw(printer, "\n  class size");
    for (size_t i = 0; i < CLASS_ROWS; i++) {
        print_spaces(printer, width_of(&class_rows[i], total) - label_length(&class_rows[i]));
        print_label(printer, &class_rows[i]);
    }
    bpi_print_raw(printer, "  hit rate\n");
}

/* In per cent, with two digits and rounded down: 100 is all. */
static void print_hit_rate(bpi_printer *printer, const bp_class_stats *stats) {
    if (stats->acquires == 0 || stats->misses > stats->acquires) {
        bpi_print_raw(printer, "         -\n");
        return;
    }
    const uint64_t unit = stats->acquires > UINT64_MAX / 10000 ? 10000 : 1; /* so that nothing overflows */
    const uint64_t rate = (stats->acquires - stats->misses) / unit * 10000 / (stats->acquires / unit);
    print_number(printer, rate / 100, GAP + 3);
    print_char(printer, '.');
    print_char(printer, (char)('0' + rate / 10 % 10));
    print_char(printer, (char)('0' + rate % 10));
    bpi_print_raw(printer, " %\n");
}

static void print_counts(bpi_printer *printer, const bp_class_stats *stats, const bp_class_stats *total) {
    for (size_t i = 0; i < CLASS_ROWS; i++) {
        print_number(printer, value_of(stats, &class_rows[i]), width_of(&class_rows[i], total));
    }
    print_hit_rate(printer, stats);
}

static void print_classes(bpi_printer *printer, bp_pool *pool, const bp_pool_stats *stats) {
    bp_class_stats one;
    print_heads(printer, &stats->total);
    for (uint32_t ix = 0; bp_pool_class_stats_read(pool, ix, &one) == BP_OK; ix++) {
        print_number(printer, one.size, GAP + strlen("class size"));
        print_counts(printer, &one, &stats->total);
    }
    bpi_print_raw(printer, "       total");
    print_counts(printer, &stats->total, &stats->total);
}

size_t bp_pool_stats_text(bp_pool *pool, char *out, size_t size) {
    bpi_printer printer = {.out = out, .size = size};
    bp_pool_stats stats;
    bp_pool_stats_read(pool, &stats);
    for (const char *at = stats.name; *at != '\0'; at++) print_char(&printer, (unsigned char)*at < ' ' ? '?' : *at);
    print_char(&printer, '\n');
    print_pool_rows(&printer, &stats);
    if (stats.class_count != 0) print_classes(&printer, pool, &stats);
    return ended(&printer);
}

/* ---- Prometheus, text exposition format 0.0.4 ---- */

/* A label's value: any text in UTF-8, with three characters escaped. */
static void print_escaped(bpi_printer *printer, const char *text) {
    const bool is_utf8 = bpi_utf8_is_valid((const uint8_t *)text, strlen(text));
    for (; *text != '\0'; text++) {
        if (*text == '\\' || *text == '"') print_char(printer, '\\');
        if (*text == '\n') {
            bpi_print_raw(printer, "\\n");
        } else {
            print_char(printer, is_utf8 || (unsigned char)*text < 0x80 ? *text : '?');
        }
    }
}

/* Base units and endings as in "Metric and label naming" of Prometheus's documentation. */
static void print_metric(bpi_printer *printer, const char *prefix, const row *of) {
    const bool is_ms = ends_with(of->name, "_ms");
    bpi_print_raw(printer, prefix);
    for (size_t i = 0; i < strlen(of->name) - (is_ms ? strlen("_ms") : 0); i++) print_char(printer, of->name[i]);
    if (is_ms) bpi_print_raw(printer, "_seconds");
    if (is_unit_missing(of)) bpi_print_raw(printer, "_bytes");
    if (of->kind == COUNTER) bpi_print_raw(printer, "_total");
}

/* Text of stats.def: it needs no escapes. */
static void print_head(bpi_printer *printer, const char *prefix, const row *of) {
    bpi_print_raw(printer, "# HELP ");
    print_metric(printer, prefix, of);
    print_char(printer, ' ');
    bpi_print_raw(printer, of->text);
    bpi_print_raw(printer, "\n# TYPE ");
    print_metric(printer, prefix, of);
    bpi_print_raw(printer, of->kind == COUNTER ? " counter\n" : " gauge\n");
}

static void print_value(bpi_printer *printer, uint64_t value, const row *of) {
    const bool is_ms = ends_with(of->name, "_ms");
    print_char(printer, ' ');
    bpi_print_unsigned(printer, is_ms ? value / 1000 : value);
    if (is_ms) {
        print_char(printer, '.');
        print_char(printer, (char)('0' + value / 100 % 10));
        print_char(printer, (char)('0' + value / 10 % 10));
        print_char(printer, (char)('0' + value % 10));
    }
    print_char(printer, '\n');
}

/* The pools of one exposition, which tells them apart by their names: those that share one get a number as well. */
typedef struct exposition {
    bpi_printer printer;
    bp_pool *const *pools;
    size_t pool_count;
} exposition;

static const char *name_of(bp_pool *pool) {
    bp_pool_stats stats;
    bp_pool_stats_read(pool, &stats);
    return stats.name;
}

static void print_pool_label(exposition *of, size_t ix) {
    const char *name = name_of(of->pools[ix]);
    uint64_t number = 1;
    for (size_t i = 0; i < ix; i++) number += strcmp(name_of(of->pools[i]), name) == 0;
    bpi_print_raw(&of->printer, "{pool=\"");
    print_escaped(&of->printer, name);
    if (number > 1) {
        print_char(&of->printer, '#');
        bpi_print_unsigned(&of->printer, number);
    }
    print_char(&of->printer, '"');
}

static void print_pool_samples(exposition *of, const row *about) {
    print_head(&of->printer, "bufpool_", about);
    for (size_t i = 0; i < of->pool_count; i++) {
        bp_pool_stats stats;
        bp_pool_stats_read(of->pools[i], &stats);
        print_metric(&of->printer, "bufpool_", about);
        print_pool_label(of, i);
        print_char(&of->printer, '}');
        print_value(&of->printer, value_of(&stats, about), about);
    }
}

static void print_class_samples(exposition *of, const row *about) {
    print_head(&of->printer, "bufpool_class_", about);
    for (size_t i = 0; i < of->pool_count; i++) {
        bp_class_stats one;
        for (uint32_t ix = 0; bp_pool_class_stats_read(of->pools[i], ix, &one) == BP_OK; ix++) {
            print_metric(&of->printer, "bufpool_class_", about);
            print_pool_label(of, i);
            bpi_print_raw(&of->printer, ",class=\"");
            bpi_print_unsigned(&of->printer, one.size);
            bpi_print_raw(&of->printer, "\"}");
            print_value(&of->printer, value_of(&one, about), about);
        }
    }
}

size_t bp_pool_stats_prometheus(bp_pool *const *pools, size_t pool_count, char *out, size_t size) {
    exposition all = {.printer = {.out = out, .size = size}, .pools = pools, .pool_count = pool_count};
    for (size_t i = 0; i < POOL_ROWS; i++) print_pool_samples(&all, &pool_rows[i]);
    for (size_t i = 0; i < CLASS_ROWS; i++) print_class_samples(&all, &class_rows[i]);
    return ended(&all.printer);
}
