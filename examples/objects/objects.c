/* objects: puts, gets and lists objects, and serves them. */
#define _GNU_SOURCE
#include "objects.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char usage[] =
    "usage: objects serve [options] DIRECTORY\n"
    "       objects put   [options] FILE|- [NAME]\n"
    "       objects get   [options] NAME [FILE|-]\n"
    "       objects ls    [options] [PREFIX]\n"
    "  -a ADDRESS   where the server is: tcp://127.0.0.1:7001 (the default), unix:///run/objects.sock, ...\n"
    "  -m BYTES     memory for parts at most (64M)\n"
    "  -p BYTES     of an object in a part (1M)\n"
    "  -n COUNT     parts of an object in flight at most (4)\n"
    "  -r OFFSET+LENGTH   get no more than this range\n"
    "  -t TOKEN     go on with what was put or got before\n"
    "  -v           tell what was transferred, and in how much memory\n"
    "  -w SECONDS   how long a lost connection is tried again (60)\n"
    "Numbers may end in K, M or G.\n";

/* A number of bytes; *end is behind it. */
static bool parse_number(const char *text, char **end, uint64_t *out) {
    static const char units[] = "KMG";
    errno = 0;
    *out = strtoull(text, end, 10);
    if (*end == text || *text == '-' || errno != 0) return false;
    const char *unit = **end == '\0' ? NULL : strchr(units, **end);
    const unsigned shift = unit == NULL ? 0 : 10 * (unsigned)(unit - units + 1);
    if (*out > UINT64_MAX >> shift) return false;
    *out <<= shift;
    *end += unit != NULL;
    return true;
}

static bool parse_whole(const char *text, uint64_t *out) {
    char *end;
    return parse_number(text, &end, out) && *end == '\0';
}

static bool parse_range(const char *text, command_line *options) {
    char *end;
    if (!parse_number(text, &end, &options->offset) || *end != '+') return false;
    return parse_whole(end + 1, &options->length);
}

static bool parse_option(int option, const char *text, command_line *options) {
    switch (option) {
    case 'a': options->address = text; return true;
    case 'm': return parse_whole(text, &options->memory);
    case 'p': return parse_whole(text, &options->part_size) && options->part_size <= BP_PART_SIZE_MAX;
    case 'n': return parse_whole(text, &options->parts_in_flight) && options->parts_in_flight <= BP_PARTS_IN_FLIGHT_MAX;
    case 'r': return parse_range(text, options);
    case 't': options->secret = text; return true;
    case 'v': return options->is_verbose = true;
    case 'w': return parse_whole(text, &options->retry_ms) && (options->retry_ms *= 1000) < UINT32_MAX;
    default: return false;
    }
}

static bool parse(int argc, char **argv, command_line *options) {
    int option;
    if (argc < 2) return false;
    options->command = argv[1];
    argv++, argc--;
    while ((option = getopt(argc, argv, "a:m:p:n:r:t:vw:")) != -1) {
        if (!parse_option(option, optarg, options)) return false;
    }
    if (argc - optind > 2) return false;
    for (int i = 0; optind + i < argc; i++) options->operands[i] = argv[optind + i];
    return true;
}

void tell(const command_line *options, bp_pool *pool, const bp_transfer_stats *stats) {
    bp_pool_stats memory;
    if (!options->is_verbose) return;
    bp_pool_stats_read(pool, &memory);
    fprintf(stderr, "objects: parts in %" PRIu64 " out %" PRIu64 ", bytes in %" PRIu64 " out %" PRIu64 " copied %" PRIu64 "\n",
            stats->parts_in, stats->parts_out, stats->bytes_in, stats->bytes_out, stats->bytes_copied);
    fprintf(stderr, "objects: memory at most %" PRIu64 " of %" PRIu64 " bytes, %" PRIu64 " waits\n",
            memory.committed_peak_bytes, memory.memory_limit, stats->waits);
}

int main(int argc, char **argv) {
    static const struct {
        const char *name;
        int (*run)(const command_line *options);
        bool needs_operand;
    } commands[] = {{"serve", serve, true}, {"put", put, true}, {"get", get, true}, {"ls", list, false}};
    command_line options = {
        .address = "tcp://127.0.0.1:7001",
        .memory = 64 << 20,
        .part_size = BP_PART_SIZE_DEFAULT,
        .parts_in_flight = BP_PARTS_IN_FLIGHT_DEFAULT,
        .retry_ms = 60000,
    };
    if (parse(argc, argv, &options)) {
        for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
            if (strcmp(options.command, commands[i].name) != 0) continue;
            if (commands[i].needs_operand && options.operands[0] == NULL) break;
            return commands[i].run(&options);
        }
    }
    fputs(usage, stderr);
    return 2;
}
