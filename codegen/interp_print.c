/* Values as JSON. Wide integers and bytes are strings of hexadecimal digits, NaN and infinities are strings, since JSON
 * has no such numbers; text that is not UTF-8 has '?' for what is not ASCII. */
#include "codegen/interp.h"
#include "codegen/source.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

static void print_datum(cg_text *out, const cg_datum *datum);

static void add(cg_text *out, const char *text) { cg_text_add(out, text, strlen(text)); }

/* One character of a string, escaped where JSON wants it. */
static void print_char(cg_text *out, char c) {
    static const char escaped[] = "\"\\\n\r\t", letters[] = "\"\\nrt";
    const char *found = c == '\0' ? NULL : strchr(escaped, c);
    if (found != NULL)
        cg_text_format(out, "\\%c", letters[found - escaped]);
    else if ((unsigned char)c < 0x20)
        cg_text_format(out, "\\u%04x", (unsigned)c);
    else
        cg_text_add(out, &c, 1);
}

static bool is_utf8(const uint8_t *bytes, uint32_t count) {
    uint32_t at = 0, step = 1;
    for (; at < count && step != 0; at += step) step = cg_utf8_length(bytes + at, count - at);
    return step != 0;
}

static void print_string(cg_text *out, const uint8_t *bytes, uint32_t count) {
    const bool is_good = is_utf8(bytes, count);
    add(out, "\"");
    for (uint32_t i = 0; i < count; i++) print_char(out, bytes[i] < 0x80 || is_good ? (char)bytes[i] : '?');
    add(out, "\"");
}

static void print_bytes(cg_text *out, const cg_datum *leaf) {
    add(out, "\"0x");
    for (uint32_t i = 0; i < leaf->count; i++) cg_text_format(out, "%02x", leaf->bytes[i]);
    add(out, "\"");
}

/* As many digits as it takes to read the same number back. */
static void print_real(cg_text *out, double value, int digits) {
    if (isnan(value))
        add(out, "\"NaN\"");
    else if (isinf(value))
        add(out, value > 0 ? "\"Infinity\"" : "\"-Infinity\"");
    else
        cg_text_format(out, "%.*g", digits, value);
}

static void print_wide(cg_text *out, const cg_number *number) {
    int limb = 3;
    while (limb > 0 && number->limb[limb] == 0) limb--;
    cg_text_format(out, "\"0x%" PRIx64, number->limb[limb]);
    while (limb > 0) cg_text_format(out, "%016" PRIx64, number->limb[--limb]);
    add(out, "\"");
}

static void print_integer(cg_text *out, const cg_number *number) {
    char digits[CG_NUMBER_TEXT_MAX];
    cg_number_print(number, digits);
    add(out, digits);
}

static void print_number(cg_text *out, const cg_datum *leaf, uint32_t ix) {
    const cg_enum *enumeration = cg_leaf_enum(leaf->type);
    const cg_number number = cg_leaf_number(leaf, ix);
    const char *name = enumeration == NULL ? NULL : cg_enum_find(enumeration, &number);
    switch (cg_leaf_kind(leaf->type)) {
    case CG_BOOL: add(out, number.limb[0] != 0 ? "true" : "false"); break;
    case CG_F32: print_real(out, cg_leaf_real(leaf, ix), 9); break;
    case CG_F64: print_real(out, cg_leaf_real(leaf, ix), 17); break;
    case CG_U128:
    case CG_U256: print_wide(out, &number); break;
    default:
        if (name != NULL)
            cg_text_format(out, "\"%s\"", name);
        else
            print_integer(out, &number);
    }
}

static void print_row(cg_text *out, const cg_datum *datum) {
    add(out, "[");
    for (uint32_t i = 0; i < datum->count; i++) {
        if (i != 0) add(out, ",");
        if (datum->items != NULL)
            print_datum(out, &datum->items[i]);
        else
            print_number(out, datum, i);
    }
    add(out, "]");
}

static void print_struct(cg_text *out, const cg_datum *datum) {
    const cg_struct *structure = datum->type->structure;
    if (structure->is_wrapper) {
        print_datum(out, &datum->items[0]);
        return;
    }
    add(out, "{");
    for (uint32_t i = 0; i < datum->count; i++) {
        cg_text_format(out, "%s\"%s\":", i == 0 ? "" : ",", structure->fields[i].name.text);
        print_datum(out, &datum->items[i]);
    }
    add(out, "}");
}

static void print_datum(cg_text *out, const cg_datum *datum) {
    const cg_kind kind = datum->type->kind;
    if (kind == CG_STRING)
        print_string(out, datum->bytes, datum->count);
    else if (kind == CG_BYTES || (kind == CG_ARRAY && datum->type->element->kind == CG_U8))
        print_bytes(out, datum);
    else if (kind == CG_STRUCT)
        print_struct(out, datum);
    else if (kind == CG_ARRAY || kind == CG_VECTOR)
        print_row(out, datum);
    else
        print_number(out, datum, 0);
}

void cg_interp_print(cg_text *out, const cg_reading *reading, bool is_showing_all) {
    const cg_message *message = reading->message;
    const bool is_redacted = (message->is_sensitive || !message->log_payload) && !is_showing_all;
    const char *separator = "";
    add(out, "{");
    for (size_t i = 0; i < message->field_count; i++) {
        if (!reading->fields[i].is_present) continue;
        cg_text_format(out, "%s\"%s\":", separator, message->fields[i].name.text);
        separator = ",";
        if (is_redacted)
            add(out, "\"***\"");
        else
            print_datum(out, &reading->fields[i]);
    }
    add(out, "}");
}
