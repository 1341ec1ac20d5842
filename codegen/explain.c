#include "codegen/explain.h"

#include <string.h>

enum { WIDTH = 80 };

const cg_explanation cg_explanations[CG_DIAG_COUNT] = {
#define CG_EXPLAIN(id, why, mend, wrong, right) [id] = {why, mend, wrong, right},
#include "codegen/explain.def"
#undef CG_EXPLAIN
};

cg_diag_id cg_diag_find(const char *number) {
    const char letter = number[0];
    const bool has_letter = letter == 'E' || letter == 'e' || letter == 'W' || letter == 'w';
    unsigned value = 0;
    const char *digits = number + has_letter;
    if (digits[0] == '\0' || strlen(digits) > 4 || digits[strspn(digits, "0123456789")] != '\0') return CG_DIAG_COUNT;
    for (; *digits != '\0'; digits++) value = 10 * value + (unsigned)(*digits - '0');
    for (size_t i = 0; i < CG_DIAG_COUNT; i++) {
        const bool is_letter_right = !has_letter || cg_diag_kinds[i].is_warning == (letter == 'W' || letter == 'w');
        if (cg_diag_kinds[i].number == value && is_letter_right) return (cg_diag_id)i;
    }
    return CG_DIAG_COUNT;
}

/* A paragraph, broken between words. */
static void add_paragraph(cg_text *out, const char *words) {
    size_t column = 0;
    while (*words != '\0') {
        const size_t length = strcspn(words, " ");
        const bool is_breaking = column != 0 && column + 1 + length > WIDTH;
        if (column != 0) cg_text_add(out, is_breaking ? "\n" : " ", 1);
        column = (is_breaking || column == 0 ? 0 : column + 1) + length;
        cg_text_add(out, words, length);
        words += length + (words[length] == ' ');
    }
    cg_text_add(out, "\n", 1);
}

static void add_contract(cg_text *out, const char *title, const char *contract) {
    cg_text_format(out, "\n%s:\n", title);
    while (*contract != '\0') {
        const size_t length = strcspn(contract, "\n") + 1;
        cg_text_add(out, "    ", 4);
        cg_text_add(out, contract, length);
        contract += length;
    }
}

static void add_title(cg_text *out, cg_diag_id id) {
    const cg_diag_kind *kind = &cg_diag_kinds[id];
    cg_text_format(out, "%c%04u: %s\n", kind->is_warning ? 'W' : 'E', kind->number, kind->title);
}

void cg_explain(cg_text *out, cg_diag_id id) {
    const cg_explanation *explanation = &cg_explanations[id];
    add_title(out, id);
    cg_text_add(out, "\n", 1);
    add_paragraph(out, explanation->why);
    cg_text_add(out, "\n", 1);
    add_paragraph(out, explanation->mend);
    if (explanation->wrong[0] == '\0') return;
    add_contract(out, "wrong", explanation->wrong);
    add_contract(out, "right", explanation->right);
}

void cg_explain_all(cg_text *out) {
    for (size_t i = 0; i < CG_DIAG_COUNT; i++) add_title(out, (cg_diag_id)i);
}
