/* Tokens as text: 32 hexadecimal digits. */
#include "bufpool/transfer.h"

static const char digits[] = "0123456789abcdef";

void bp_token_format(const bp_token *token, char out[BP_TOKEN_TEXT_SIZE]) {
    for (size_t i = 0; i < sizeof token->bytes; i++) {
        out[2 * i] = digits[token->bytes[i] >> 4];
        out[2 * i + 1] = digits[token->bytes[i] & 15];
    }
    out[BP_TOKEN_TEXT_SIZE - 1] = '\0';
}

/* Small letters and capitals alike; -1: none. */
static int digit_of(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bp_err bp_token_parse(const char *text, bp_token *out) {
    bp_token token = {{0}};
    *out = token;
    for (size_t i = 0; i < 2 * sizeof token.bytes; i++) {
        const int digit = digit_of(text[i]);
        if (digit < 0) return BP_ERR_ARGUMENT; /* the end of the text is no digit */
        token.bytes[i / 2] = (uint8_t)(token.bytes[i / 2] << 4 | digit);
    }
    if (text[2 * sizeof token.bytes] != '\0') return BP_ERR_ARGUMENT;
    *out = token;
    return BP_OK;
}
