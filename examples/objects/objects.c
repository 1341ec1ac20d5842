/* objects: puts, gets and lists objects, and serves them. */
#define _GNU_SOURCE
#include "objects.h"

#include <errno.h>
#include <fcntl.h>
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
    "  -r OFFSET[+LENGTH]   get no more than this range\n"
    "  -t TOKEN     go on with what was put or got before, as it was then told\n"
    "  -v           tell the token at once, what was transferred, and in how much memory\n"
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
    if (!parse_number(text, &end, &options->offset)) return false;
    return *end == '\0' || (*end == '+' && parse_whole(end + 1, &options->length) && options->length != 0);
}

static bool parse_between(const char *text, uint64_t least, uint64_t most, uint64_t *out) {
    return parse_whole(text, out) && *out >= least && *out <= most;
}

static bool parse_option(int option, const char *text, command_line *options) {
    switch (option) {
    case 'a': options->address = text; return true;
    case 'm': return parse_between(text, 1, UINT64_MAX, &options->memory);
    case 'p': return parse_between(text, BP_PART_SIZE_MIN, BP_PART_SIZE_MAX, &options->part_size);
    case 'n': return parse_between(text, 1, BP_PARTS_IN_FLIGHT_MAX, &options->parts_in_flight);
    case 'r': return parse_range(text, options);
    case 't': options->secret = text; return true;
    case 'v': return options->is_verbose = true;
    case 'w': return parse_between(text, 1, UINT32_MAX / 1000 - 1, &options->retry_ms) && (options->retry_ms *= 1000);
    default: return false;
    }
}

/* NULL, or what is wrong. */
static const char *parse(int argc, char **argv, command_line *options) {
    static char wrong[64];
    int option;
    opterr = 0;
    while ((option = getopt(argc, argv, ":a:m:p:n:r:t:vw:")) != -1) {
        const bool is_known = option != '?' && option != ':';
        if (is_known && parse_option(option, optarg, options)) continue;
        snprintf(wrong, sizeof wrong, is_known        ? "what stands behind -%c cannot be"
                                      : option == '?' ? "there is no option -%c"
                                                      : "nothing stands behind -%c", is_known ? option : optopt);
        return wrong;
    }
    if (argc - optind > 2) return "too many operands";
    for (int i = 0; optind + i < argc; i++) options->operands[i] = argv[optind + i];
    return options->memory / 2 < options->part_size ? "the memory of -m holds no two parts" : NULL;
}

void print_text(FILE *out, const char *text) {
    for (; *text != '\0'; text++) fputc((unsigned char)*text < ' ' || *text == 127 ? '?' : *text, out);
}

void complain(const char *what, const char *why) {
    fputs("objects: ", stderr);
    print_text(stderr, what);
    fputs(": ", stderr);
    print_text(stderr, why);
    fputc('\n', stderr);
}

void tell(const command_line *options, bp_pool *pool, const bp_transfer_stats *stats) {
    bp_pool_stats memory;
    if (!options->is_verbose) return;
    bp_pool_stats_read(pool, &memory);
    fprintf(stderr,
            "objects: parts in %" PRIu64 " out %" PRIu64 ", bytes in %" PRIu64 " out %" PRIu64 " copied %" PRIu64 "\n",
            stats->parts_in, stats->parts_out, stats->bytes_in, stats->bytes_out, stats->bytes_copied);
    fprintf(stderr, "objects: memory at most %" PRIu64 " of %" PRIu64 " bytes, %" PRIu64 " waits\n",
            memory.committed_peak_bytes, memory.memory_limit, stats->waits);
}

static const struct command {
    const char *name;
    int (*run)(const command_line *options);
    int operands_min, operands_max;
} commands[] = {{"serve", serve, 1, 1}, {"put", put, 1, 2}, {"get", get, 1, 2}, {"ls", list, 0, 1}};

static const struct command *find_command(const char *name) {
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (strcmp(name, commands[i].name) == 0) return &commands[i];
    }
    return NULL;
}

static bool is_call_for_help(const char *word) {
    return strcmp(word, "-h") == 0 || strcmp(word, "--help") == 0 || strcmp(word, "help") == 0;
}

/* No socket shall be what is read or written as a standard stream that is closed. */
static void open_streams(void) {
    int fd;
    do fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0) (void)close(fd);
}

int main(int argc, char **argv) {
    command_line options = {
        .address = "tcp://127.0.0.1:7001",
        .memory = 64 << 20,
        .part_size = BP_PART_SIZE_DEFAULT,
        .parts_in_flight = BP_PARTS_IN_FLIGHT_DEFAULT,
        .retry_ms = 60000,
    };
    open_streams();
    if (argc > 1 && is_call_for_help(argv[1])) {
        fputs(usage, stdout);
        return fflush(stdout) != 0;
    }
    const struct command *command = argc > 1 ? find_command(argv[1]) : NULL;
    if (command == NULL) {
        fputs(usage, stderr);
        return 2;
    }
    options.command = command->name;
    const char *wrong = parse(argc - 1, argv + 1, &options);
    const int count = (options.operands[0] != NULL) + (options.operands[1] != NULL);
    if (wrong == NULL && count < command->operands_min) wrong = "an operand is missing";
    if (wrong == NULL && count > command->operands_max) wrong = "too many operands";
    if (wrong == NULL) return command->run(&options);
    complain(command->name, wrong);
    fputs("objects: help tells how\n", stderr);
    return 2;
}
