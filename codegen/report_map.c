#include "codegen/report_map.h"

#include <stdlib.h>
#include <string.h>

enum {
    ROW_BYTES = 8,
    CELL_WIDTH = 44,
    ROW_HEIGHT = 26,
    SHORT_HEIGHT = 20, /* of rows drawn as one */
    LEFT = 46,         /* where offsets stand */
    GAP = 1,
    ROWS_DRAWN = 3,   /* whole rows of one piece that are all drawn */
    CHAR_TENTHS = 68, /* width of a character, tenths */
    GROUP_KINDS = 6
};

typedef struct piece {
    uint32_t offset, size;
    const char *kind, *label, *title;
    bool is_field;
    bool is_odd; /* fields take turns, so that they differ where their groups do not */
} piece;

typedef struct drawing {
    cg_arena *arena;
    piece *pieces;
    size_t piece_count;
    cg_value *cells, *rows;
    uint32_t y; /* of the row that is being filled */
} drawing;

const char *cg_report_group_kind(cg_arena *arena, size_t group_ix) {
    return cg_arena_format(arena, "g%zu", group_ix % GROUP_KINDS);
}

/* ---- pieces ----------------------------------------------------------------------------------------------------- */

static void add_piece(drawing *d, uint32_t offset, uint32_t size, const char *kind, const char *label,
                      const char *what) {
    const char *title =
        cg_arena_format(d->arena, "%s: %s, %u byte%s at %u", label, what, size, size == 1 ? "" : "s", offset);
    d->pieces = cg_arena_grow(d->arena, d->pieces, d->piece_count, sizeof(piece));
    d->pieces[d->piece_count++] = (piece){.offset = offset, .size = size, .kind = kind, .label = label, .title = title};
}

static void add_field(drawing *d, const cg_field *field) {
    const bool is_tail = field->type->is_tail;
    const char *kind = field->is_retired ? "retired" : cg_report_group_kind(d->arena, field->group_ix);
    const char *what = cg_arena_format(d->arena, "%s%s%s", is_tail ? "count of " : "", field->type->spelling,
                                       field->is_retired ? ", retired" : "");
    add_piece(d, field->offset, field->type->size, kind, field->name.text, what);
    d->pieces[d->piece_count - 1].is_field = true;
}

static int by_offset(const void *left, const void *right) {
    const piece *a = left, *b = right;
    return (a->offset > b->offset) - (a->offset < b->offset);
}

static void gather(drawing *d, const cg_message *message) {
    if (message->has_block_len) add_piece(d, message->block_len_offset, 2, "implicit", "len", "length of the block");
    for (size_t i = 0; i < message->group_count; i++) {
        const cg_group *group = &message->groups[i];
        for (size_t k = 0; k < group->placed_count; k++) add_field(d, group->placed[k]);
        for (size_t k = 0; k < group->gap_count; k++) {
            add_piece(d, group->gaps[k].offset, group->gaps[k].size, "gap", "gap", "padding");
        }
        if (group->bitmap_size == 0) continue;
        add_piece(d, group->bitmap_offset, group->bitmap_size, "implicit", "bits", "presence bits");
    }
    if (d->piece_count != 0) qsort(d->pieces, d->piece_count, sizeof(piece), by_offset);
}

/* ---- cells ------------------------------------------------------------------------------------------------------ */

/* As much of the label as fits into that width, cut between characters of UTF-8; "" when nothing does. */
static const char *fitting(cg_arena *arena, const char *label, uint32_t width) {
    const size_t room = (width - 6) * 10 / CHAR_TENTHS;
    if (strlen(label) <= room) return label;
    return room < 3 ? "" : cg_arena_format(arena, "%.*s\u2026", (int)room - 1, label);
}

/* `is_last`: the piece ends here; else it goes on without a gap. */
static void add_cell(drawing *d, const piece *p, uint32_t x, uint32_t width, uint32_t height, const char *label,
                     bool is_last) {
    cg_value *cell = cg_value_map(d->arena);
    cg_set_number(d->arena, cell, "x", LEFT + x);
    cg_set_number(d->arena, cell, "y", d->y);
    cg_set_number(d->arena, cell, "w", width - GAP);
    cg_set_number(d->arena, cell, "h", height - (is_last ? GAP : 0));
    cg_set_number(d->arena, cell, "text_x", LEFT + x + width / 2);
    cg_set_number(d->arena, cell, "text_y", d->y + height / 2 + 4);
    cg_set_text(d->arena, cell, "kind", p->kind);
    cg_set_flag(d->arena, cell, "is_odd", p->is_odd);
    cg_set_text(d->arena, cell, "label", label);
    cg_set_text(d->arena, cell, "title", p->title);
    cg_append(d->arena, d->cells, cell);
}

static void add_row(drawing *d, uint32_t offset) {
    cg_value *row = cg_value_map(d->arena);
    cg_set_number(d->arena, row, "y", d->y + ROW_HEIGHT / 2 + 4);
    cg_set_number(d->arena, row, "label", offset);
    cg_append(d->arena, d->rows, row);
}

/* Draws the bytes at .. end - 1 of a piece, which lie in one row. */
static void draw_part(drawing *d, const piece *p, uint32_t at, uint32_t end, bool is_labelled) {
    const uint32_t width = (end - at) * CELL_WIDTH;
    if (at % ROW_BYTES == 0) add_row(d, at);
    add_cell(d, p, at % ROW_BYTES * CELL_WIDTH, width, ROW_HEIGHT,
             is_labelled ? fitting(d->arena, p->label, width) : "", end == p->offset + p->size);
    if (end % ROW_BYTES == 0) d->y += ROW_HEIGHT;
}

/* Draws whole rows: all of them, or the first, how much lies between, and the last. */
static uint32_t draw_rows(drawing *d, const piece *p, uint32_t at, uint32_t count, bool is_labelled) {
    const uint32_t width = ROW_BYTES * CELL_WIDTH;
    for (uint32_t i = 0; i < count; i++, at += ROW_BYTES) {
        if (i == 1 && count > ROWS_DRAWN) {
            const uint32_t left_out = (count - 2) * ROW_BYTES;
            add_cell(d, p, 0, width, SHORT_HEIGHT, cg_arena_format(d->arena, "\u22EE %u bytes", left_out), false);
            d->y += SHORT_HEIGHT;
            at += left_out;
            i = count - 1;
        }
        draw_part(d, p, at, at + ROW_BYTES, is_labelled && i == 0);
    }
    return at;
}

/* Its label stands in the first of its widest parts. */
static void draw(drawing *d, const piece *p) {
    const uint32_t end = p->offset + p->size, to_row = (ROW_BYTES - p->offset % ROW_BYTES) % ROW_BYTES;
    const uint32_t head = to_row < p->size ? to_row : p->size, rows = (p->size - head) / ROW_BYTES;
    const uint32_t tail = p->size - head - rows * ROW_BYTES;
    if (head != 0) draw_part(d, p, p->offset, p->offset + head, rows == 0 && head >= tail);
    const uint32_t at = draw_rows(d, p, p->offset + head, rows, true);
    if (tail != 0) draw_part(d, p, at, end, rows == 0 && tail > head);
}

cg_value *cg_report_map(cg_arena *arena, const cg_message *message) {
    drawing d = {.arena = arena, .cells = cg_value_list(arena), .rows = cg_value_list(arena)};
    cg_value *map = cg_value_map(arena);
    gather(&d, message);
    for (size_t i = 0, fields = 0; i < d.piece_count; i++) {
        piece *p = &d.pieces[i];
        p->is_odd = p->is_field && fields++ % 2 != 0;
        draw(&d, p);
    }
    if (message->block_size % ROW_BYTES != 0) d.y += ROW_HEIGHT;
    cg_set_number(arena, map, "width", LEFT + ROW_BYTES * CELL_WIDTH);
    cg_set_number(arena, map, "height", d.y);
    cg_set(arena, map, "cells", d.cells);
    cg_set(arena, map, "rows", d.rows);
    return map;
}
