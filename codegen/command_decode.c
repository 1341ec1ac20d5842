/* Frames as JSON lines, by the contract alone. What a line says:
 *     offset, type, length             where the frame's header begins, what the header says
 *     message, value                   a known message that keeps its rules
 *     message, error, at, field        one that is no value, or, with the value besides, breaks a rule: `at` is the
 *                                      first byte of the value that is wrong, `field` what it belongs to, if anything
 *     unknown                          no message has the type: what a reader does with it, by its tag range
 * Frames of type 0 are the library's own: message is HELLO or GOODBYE, or kind says which one else it is. */
#include "codegen/command.h"
#include "codegen/control.h"
#include "codegen/interp.h"
#include "codegen/stream.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { HEADER_SIZE = 6, LENGTH_OFFSET = 2 };

typedef struct decoding {
    const cg_job *job;
    const cg_model *model;
    cg_stream *stream;
    bool has_invalid; /* some frame was no good message */
    bool is_full;     /* standard output takes no more */
} decoding;

typedef struct frame {
    uint64_t offset; /* of its header */
    uint16_t type;
    uint32_t length;
    const cg_message *message; /* or NULL */
} frame;

/* ---- lines ------------------------------------------------------------------------------------------------------ */

static const cg_message *find_type(const cg_model *model, uint16_t type) {
    size_t low = 0, high = model->message_count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (model->by_type[middle]->tlv_type == type) return model->by_type[middle];
        if (model->by_type[middle]->tlv_type < type)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

/* What a reader does with a type that the contract does not have. */
static const char *unknown_word(const cg_model *model, uint16_t type) {
    static const char *const words[] = {
        [CG_UNKNOWN_FAIL] = "fail", [CG_UNKNOWN_SKIP] = "skip", [CG_UNKNOWN_DELIVER] = "deliver"};
    const cg_range *range = cg_range_of(model, type);
    return words[range == NULL ? CG_UNKNOWN_FAIL : range->unknown];
}

static void add_fault(decoding *d, cg_text *line, const cg_fault *fault) {
    cg_text_format(line, ",\"error\":\"%s\",\"at\":%u", cg_fault_name(fault->kind), fault->offset);
    if (fault->field != NULL) cg_text_format(line, ",\"field\":\"%s\"", fault->field->name.text);
    d->has_invalid = true;
}

static void add_message(decoding *d, cg_text *line, const frame *f, const uint8_t *value) {
    cg_reading reading;
    cg_fault fault = cg_interp_read(line->arena, f->message, value, f->length, &reading);
    const bool is_read = fault.kind == CG_FAULT_NONE;
    if (is_read) fault = cg_interp_validate(&reading);
    if (fault.kind != CG_FAULT_NONE) add_fault(d, line, &fault);
    if (!is_read) return;
    cg_text_format(line, ",\"value\":");
    cg_interp_print(line, &reading, d->job->options.is_showing_all);
}

/* A control frame. */
static void add_control(decoding *d, cg_text *line, const frame *f, const uint8_t *value) {
    const cg_fault fault = cg_control_check(value, f->length);
    if (fault.kind != CG_FAULT_NONE) {
        add_fault(d, line, &fault);
    } else if (cg_control_name(value, f->length) == NULL) {
        cg_text_format(line, ",\"kind\":%u,\"unknown\":\"skip\"", value[0]);
    } else {
        cg_text_format(line, ",\"value\":");
        cg_control_print(line, d->model, value);
    }
}

/* The longest value that a reader takes. */
static uint32_t longest(const frame *f) { return f->message == NULL ? CG_CONTROL_MAX : f->message->accept_max; }

static bool is_known(const frame *f) { return f->message != NULL || f->type == 0; }

static const char *name_of(const frame *f, const uint8_t *value) {
    if (f->message != NULL) return f->message->name.text;
    return f->type == 0 && value != NULL ? cg_control_name(value, f->length) : NULL;
}

/* value is NULL when the bytes were not looked at. */
static void print_line(decoding *d, const frame *f, const uint8_t *value) {
    cg_text line = {.arena = d->job->arena};
    const cg_fault too_long = {.kind = CG_FAULT_BOUND, .offset = longest(f)};
    const char *name = name_of(f, value);
    cg_text_format(&line, "{\"offset\":%" PRIu64 ",\"type\":%u", f->offset, f->type);
    if (name != NULL) cg_text_format(&line, ",\"message\":\"%s\"", name);
    cg_text_format(&line, ",\"length\":%u", f->length);
    if (!is_known(f))
        cg_text_format(&line, ",\"unknown\":\"%s\"", unknown_word(d->model, f->type));
    else if (value == NULL)
        add_fault(d, &line, &too_long);
    else
        (f->type == 0 ? add_control : add_message)(d, &line, f, value);
    cg_text_format(&line, "}\n");
    if (fwrite(line.data, 1, line.length, stdout) != line.length) d->is_full = true;
}

/* ---- frames ----------------------------------------------------------------------------------------------------- */

/* What was found is shown before more is waited for. */
static void show_lines(void *user) {
    decoding *d = user;
    if (!d->is_full && fflush(stdout) != 0) d->is_full = true;
}

static void cut(decoding *d, uint64_t begin, const char *what, uint64_t needed, uint64_t there) {
    if (cg_stream_status(d->stream) != CG_OK) return;
    fprintf(stderr,
            "bufpoolc: the stream ends in the %s of the frame at offset %" PRIu64 ": %" PRIu64 " of %" PRIu64
            " bytes are there\n",
            what, begin, there, needed);
    d->has_invalid = true;
}

/* The value of a frame whose header was passed over; nothing is kept of one that no reader takes. False at the end. */
static bool decode_value(decoding *d, const frame *f) {
    const bool is_taken = is_known(f) && f->length <= longest(f);
    size_t there = 0;
    const uint8_t *value = is_taken ? cg_stream_peek(d->stream, f->length, &there) : NULL;
    if (is_taken && there < f->length) {
        cut(d, f->offset, "value", f->length, there);
        return false;
    }
    const cg_arena_mark mark = cg_arena_set_mark(d->job->arena);
    print_line(d, f, value);
    cg_arena_rewind(d->job->arena, &mark);
    const uint64_t skipped = cg_stream_skip(d->stream, f->length);
    if (skipped < f->length) cut(d, f->offset, "value", f->length, skipped);
    return skipped == f->length;
}

/* False at the end of the stream. */
static bool decode_frame(decoding *d) {
    size_t there = 0;
    const uint8_t *header = cg_stream_peek(d->stream, HEADER_SIZE, &there);
    frame f = {.offset = cg_stream_offset(d->stream)};
    if (there == 0) return false;
    if (there < HEADER_SIZE) {
        cut(d, f.offset, "header", HEADER_SIZE, there);
        return false;
    }
    f.type = (uint16_t)cg_load_le(header, 2);
    f.length = (uint32_t)cg_load_le(header + LENGTH_OFFSET, 4);
    f.message = find_type(d->model, f.type);
    (void)cg_stream_skip(d->stream, HEADER_SIZE);
    return decode_value(d, &f);
}

cg_status cg_command_decode(cg_job *job) {
    cg_status status = CG_OK;
    const char *path = job->options.operands[1];
    decoding d = {.job = job, .model = cg_job_compile(job, &status)};
    if (d.model == NULL) return status;
    d.stream = cg_stream_open(job->arena, path == NULL ? "-" : path);
    if (d.stream == NULL) return CG_FAILED;
    cg_stream_on_wait(d.stream, show_lines, &d);
    while (!d.is_full && decode_frame(&d)) {}
    show_lines(&d);
    if (d.is_full) fprintf(stderr, "bufpoolc: stdout: %s\n", strerror(errno));
    if (d.is_full || cg_stream_status(d.stream) != CG_OK) return CG_FAILED;
    return d.has_invalid ? CG_WRONG : CG_OK;
}
