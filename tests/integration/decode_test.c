/* bufpoolc decode as a process: lines as they come, frames that are wrong, and streams that end too early. */
#define _POSIX_C_SOURCE 200809L
#include "tests/support/suite.h"

#include "market.h"

#include <libgen.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* A running bufpoolc: frames go in, lines come out, what it complains about is in a file. */
typedef struct decoder {
    pid_t pid;
    FILE *in, *out, *complaints;
} decoder;

static void exec_decode(const char *option) {
    char self[4096], path[4200];
    const ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    if (length <= 0) _exit(99);
    self[length] = '\0';
    snprintf(path, sizeof path, "%s/bufpoolc", dirname(self));
    execl(path, "bufpoolc", "decode", "contracts.yaml", "-", option, (char *)NULL);
    _exit(99);
}

static decoder start(const char *option, rlim_t memory) {
    int in[2], out[2];
    decoder d = {.complaints = tmpfile()};
    ck_assert(d.complaints != NULL && pipe(in) == 0 && pipe(out) == 0);
    d.pid = fork();
    ck_assert_int_ge(d.pid, 0);
    if (d.pid == 0) {
        const struct rlimit limit = {memory, memory};
        if (memory != 0 && setrlimit(RLIMIT_AS, &limit) != 0) _exit(98);
        dup2(in[0], STDIN_FILENO);
        dup2(out[1], STDOUT_FILENO);
        dup2(fileno(d.complaints), STDERR_FILENO);
        close(in[1]);
        close(out[0]);
        exec_decode(option);
    }
    close(in[0]);
    close(out[1]);
    d.in = fdopen(in[1], "w");
    d.out = fdopen(out[0], "r");
    ck_assert(d.in != NULL && d.out != NULL);
    return d;
}

static void send_bytes(decoder *d, const void *bytes, size_t count) {
    ck_assert_uint_eq(fwrite(bytes, 1, count, d->in), count);
    ck_assert_int_eq(fflush(d->in), 0);
}

static void send_frame(decoder *d, uint16_t type, const void *value, uint32_t length) {
    const uint8_t header[6] = {(uint8_t)type,          (uint8_t)(type >> 8),    (uint8_t)length,
                               (uint8_t)(length >> 8), (uint8_t)(length >> 16), (uint8_t)(length >> 24)};
    send_bytes(d, header, sizeof header);
    send_bytes(d, value, length);
}

static void expect_line(decoder *d, const char *expected) {
    char line[4096] = "nothing";
    ck_assert_ptr_nonnull(fgets(line, sizeof line, d->out));
    line[strcspn(line, "\n")] = '\0';
    ck_assert_str_eq(line, expected);
}

/* Ends its input; all lines must have been read. */
static void finish(decoder *d, int expected_exit, const char *complaint) {
    char said[4096];
    int status = 0;
    ck_assert_int_eq(fclose(d->in), 0);
    ck_assert_int_eq(fgetc(d->out), EOF);
    fclose(d->out);
    ck_assert_int_eq(waitpid(d->pid, &status, 0), d->pid);
    rewind(d->complaints);
    said[fread(said, 1, sizeof said - 1, d->complaints)] = '\0';
    fclose(d->complaints);
    ck_assert_str_eq(said, complaint);
    ck_assert(WIFEXITED(status));
    ck_assert_int_eq(WEXITSTATUS(status), expected_exit);
}

static const uint8_t ack[8] = {1, 2};

/* The next frame is sent only when the line of the one before it was read. */
START_TEST(lines_come_as_soon_as_their_frames) {
    decoder d = start(NULL, 0);
    for (int i = 0; i < 3; i++) {
        char line[128];
        send_frame(&d, MARKET_BOOK_ACK_TYPE, ack, sizeof ack);
        snprintf(line, sizeof line,
                 "{\"offset\":%d,\"type\":1014,\"message\":\"BookAck\",\"length\":8,\"value\":{\"sequence\":513}}",
                 14 * i);
        expect_line(&d, line);
    }
    finish(&d, 0, "");
}
END_TEST

START_TEST(a_wrong_frame_is_said_and_the_next_one_is_read) {
    decoder d = start(NULL, 0);
    const uint8_t meta[48] = {[22] = 25}, sample[60] = {0};
    send_frame(&d, MARKET_BOOK_ACK_TYPE, ack, 7);
    send_frame(&d, MARKET_INSTRUMENT_META_TYPE, meta, sizeof meta);
    send_frame(&d, MARKET_PROCESS_SAMPLE_TYPE, sample, sizeof sample);
    send_frame(&d, MARKET_BOOK_ACK_TYPE, ack, sizeof ack);
    expect_line(&d,
                "{\"offset\":0,\"type\":1014,\"message\":\"BookAck\",\"length\":7,\"error\":\"truncated\",\"at\":7}");
    expect_line(&d, "{\"offset\":13,\"type\":1010,\"message\":\"InstrumentMeta\",\"length\":48,\"error\":\"bound\","
                    "\"at\":22,\"field\":\"symbol\"}");
    expect_line(&d, "{\"offset\":67,\"type\":2001,\"message\":\"ProcessSample\",\"length\":60,\"error\":\"truncated\","
                    "\"at\":60}");
    expect_line(&d, "{\"offset\":133,\"type\":1014,\"message\":\"BookAck\",\"length\":8,\"value\":{\"sequence\":513}}");
    finish(&d, 1, "");
}
END_TEST

START_TEST(a_broken_rule_is_said_beside_the_value) {
    decoder d = start(NULL, 0);
    uint8_t meta[48] = {0};
    send_frame(&d, MARKET_INSTRUMENT_META_TYPE, meta, sizeof meta);
    expect_line(&d,
                "{\"offset\":0,\"type\":1010,\"message\":\"InstrumentMeta\",\"length\":48,\"error\":\"rule\",\"at\":0,"
                "\"field\":\"instrument_id\",\"value\":{\"instrument_id\":0,\"symbol\":\"\",\"tick_size\":0,"
                "\"lot_size\":0,\"venue\":0,\"decimals\":0}}");
    finish(&d, 1, "");
}
END_TEST

START_TEST(unknown_types_say_what_a_reader_does) {
    decoder d = start(NULL, 0);
    send_frame(&d, 1999, ack, 3);
    send_frame(&d, 60000, ack, 0);
    expect_line(&d, "{\"offset\":0,\"type\":1999,\"length\":3,\"unknown\":\"skip\"}");
    expect_line(&d, "{\"offset\":9,\"type\":60000,\"length\":0,\"unknown\":\"fail\"}");
    finish(&d, 0, "");
}
END_TEST

/* What the library says of itself. */
START_TEST(control_frames_say_what_they_are) {
    decoder d = start(NULL, 0);
    static const uint8_t hello[20] = {1, 0, 1, 0, 0x45, 0x43, 0x59, 0x4D, 2, 0, 1, 0, 0xEF, 0xCD, 0xAB};
    static const uint8_t goodbye[2] = {2}, other[3] = {7};
    send_frame(&d, 0, hello, sizeof hello);
    send_frame(&d, MARKET_BOOK_ACK_TYPE, ack, sizeof ack);
    send_frame(&d, 0, other, sizeof other);
    send_frame(&d, 0, goodbye, sizeof goodbye);
    expect_line(&d, "{\"offset\":0,\"type\":0,\"message\":\"HELLO\",\"length\":20,\"value\":{\"schemas\":[{\"id\":"
                    "1297695557,\"schema\":\"market\",\"version\":2,\"min_compatible\":1,\"layout_hash\":"
                    "\"0000000000abcdef\"}]}}");
    expect_line(&d, "{\"offset\":26,\"type\":1014,\"message\":\"BookAck\",\"length\":8,\"value\":{\"sequence\":513}}");
    expect_line(&d, "{\"offset\":40,\"type\":0,\"length\":3,\"kind\":7,\"unknown\":\"skip\"}");
    expect_line(&d, "{\"offset\":49,\"type\":0,\"message\":\"GOODBYE\",\"length\":2,\"value\":{}}");
    finish(&d, 0, "");
}
END_TEST

START_TEST(a_wrong_control_frame_is_said) {
    static const uint8_t zeros[513];
    decoder d = start(NULL, 0);
    send_frame(&d, 0, zeros, 0);
    send_frame(&d, 0, zeros, 513);
    send_frame(&d, 0, "\2\0\0", 3);
    send_frame(&d, 0, "\1", 1);
    send_frame(&d, 0, zeros, 512);
    expect_line(&d, "{\"offset\":0,\"type\":0,\"length\":0,\"error\":\"truncated\",\"at\":0}");
    expect_line(&d, "{\"offset\":6,\"type\":0,\"length\":513,\"error\":\"bound\",\"at\":512}");
    expect_line(&d, "{\"offset\":525,\"type\":0,\"message\":\"GOODBYE\",\"length\":3,\"error\":\"malformed\","
                    "\"at\":2}");
    expect_line(&d, "{\"offset\":534,\"type\":0,\"message\":\"HELLO\",\"length\":1,\"error\":\"truncated\",\"at\":1}");
    expect_line(&d, "{\"offset\":541,\"type\":0,\"length\":512,\"kind\":0,\"unknown\":\"skip\"}");
    finish(&d, 1, "");
}
END_TEST

/* 4 GiB are announced; what comes of it is passed over in a process that may have far less. */
START_TEST(lengths_that_no_reader_takes_cost_nothing) {
    static const uint8_t headers[2][6] = {{0xF6, 3, 0xFF, 0xFF, 0xFF, 0xFF}, {0xCF, 7, 0xFF, 0xFF, 0xFF, 0xFF}};
    static const char *const lines[] = {
        "{\"offset\":0,\"type\":1014,\"message\":\"BookAck\",\"length\":4294967295,\"error\":\"bound\",\"at\":64}",
        "{\"offset\":0,\"type\":1999,\"length\":4294967295,\"unknown\":\"skip\"}"};
    static uint8_t bytes[1 << 20];
    /* Under a sanitizer address space means nothing. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    decoder d = start(NULL, 0);
#else
    decoder d = start(NULL, 64 << 20);
#endif
    send_bytes(&d, headers[_i], 6);
    expect_line(&d, lines[_i]);
    for (int i = 0; i < 100; i++) send_bytes(&d, bytes, sizeof bytes);
    finish(
        &d, 1,
        "bufpoolc: the stream ends in the value of the frame at offset 0: 104857600 of 4294967295 bytes are there\n");
}
END_TEST

START_TEST(a_cut_stream_is_an_error_with_its_place) {
    decoder d = start(NULL, 0);
    send_frame(&d, MARKET_BOOK_ACK_TYPE, ack, sizeof ack);
    send_bytes(&d, "\xF6\x03\x08\0\0\0\x01", 7);
    expect_line(&d, "{\"offset\":0,\"type\":1014,\"message\":\"BookAck\",\"length\":8,\"value\":{\"sequence\":513}}");
    finish(&d, 1, "bufpoolc: the stream ends in the value of the frame at offset 14: 1 of 8 bytes are there\n");
    d = start(NULL, 0);
    send_bytes(&d, "\xF6\x03\x08", 3);
    finish(&d, 1, "bufpoolc: the stream ends in the header of the frame at offset 0: 3 of 6 bytes are there\n");
}
END_TEST

START_TEST(redacted_values_are_shown_on_request) {
    static const char *const options[] = {NULL, "--all"}, *const signal_ids[] = {"\"***\"", "9"};
    uint8_t value[MARKET_ARBITRAGE_SIGNAL_MAX];
    const market_arbitrage_signal message = {.signal_id = 9, .side = MARKET_SIDE_BUY};
    uint32_t length = 0;
    char start_of_value[64], line[4096];
    decoder d = start(options[_i], 0);
    bpt_ok(market_arbitrage_signal_encode(&message, value, sizeof value, &length));
    send_frame(&d, MARKET_ARBITRAGE_SIGNAL_TYPE, value, length);
    ck_assert_ptr_nonnull(fgets(line, sizeof line, d.out));
    snprintf(start_of_value, sizeof start_of_value, "{\"signal_id\":%s,", signal_ids[_i]);
    ck_assert_msg(strstr(line, start_of_value) != NULL, "%s", line);
    finish(&d, 1, ""); /* a path must not be empty */
}
END_TEST

BPT_SUITE(integration_decode) {
    BPT_TEST(lines_come_as_soon_as_their_frames);
    BPT_TEST(a_wrong_frame_is_said_and_the_next_one_is_read);
    BPT_TEST(a_broken_rule_is_said_beside_the_value);
    BPT_TEST(unknown_types_say_what_a_reader_does);
    BPT_TEST(control_frames_say_what_they_are);
    BPT_TEST(a_wrong_control_frame_is_said);
    BPT_LOOP_TEST(lengths_that_no_reader_takes_cost_nothing, 0, 2);
    BPT_TEST(a_cut_stream_is_an_error_with_its_place);
    BPT_LOOP_TEST(redacted_values_are_shown_on_request, 0, 2);
}
