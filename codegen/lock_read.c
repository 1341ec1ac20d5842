/* Reading contracts.lock: strict, line by line; whatever is wrong ends it, since nothing behind it can be trusted. */
#include "codegen/ids.h"
#include "codegen/lock.h"

#include <stdlib.h>
#include <string.h>

enum { WORDS_MAX = 16 };

/* The words of one line, NUL-terminated copies. */
typedef struct line {
    cg_span at;
    unsigned indent;
    const char *words[WORDS_MAX];
    size_t count;
} line;

typedef struct reader {
    cg_arena *arena;
    cg_diags *diags;
    cg_lock *lock;
    uint32_t next; /* line that comes next, from 0 */
    line line;     /* the latest one; count 0 at the end of the file */
    bool is_failed;
    uint64_t sum; /* of the section's lines so far */
    uint32_t section_line;
    cg_ids by_type; /* cg_lock_entry, of standing messages */
} reader;

static bool fail(reader *r, cg_diag_id id, const char *why) {
    if (!r->is_failed) cg_report(r->diags, id, r->line.at, "%s", why);
    r->is_failed = true;
    return false;
}

static bool fail_line(reader *r, const char *why) { return fail(r, CG_E_LOCK, why); }

/* ---- lines and words -------------------------------------------------------------------------------------------- */

static bool is_conflict(const char *text) {
    return strncmp(text, "<<<<<<<", 7) == 0 || strncmp(text, "=======", 7) == 0 || strncmp(text, ">>>>>>>", 7) == 0;
}

/* Splits at single spaces. False for an empty word, which two spaces or one at the end make, and for too many. */
static bool split(reader *r, char *text) {
    line *l = &r->line;
    while (text[l->indent] == ' ') l->indent++;
    for (char *at = text + l->indent; at != NULL;) {
        char *space = strchr(at, ' ');
        if (*at == '\0' || space == at || l->count == WORDS_MAX) return false;
        if (space != NULL) *space++ = '\0';
        l->words[l->count++] = at;
        at = space;
    }
    return true;
}

static bool is_skipped(const cg_source *source, cg_span at) {
    return at.start == at.end || source->text[at.start] == '#';
}

/* Goes to the next line with words. False at the end of the file, and after a line that has none of a lock. */
static bool advance(reader *r) {
    const cg_source *source = r->lock->source;
    r->line = (line){.at = {source->length, source->length}};
    while (r->next < source->line_count && is_skipped(source, cg_source_line_span(source, r->next))) r->next++;
    if (r->next >= source->line_count || r->is_failed) return false;
    r->line.at = cg_source_line_span(source, r->next++);
    char *text = cg_arena_copy(r->arena, source->text + r->line.at.start, r->line.at.end - r->line.at.start);
    if (is_conflict(text)) return fail_line(r, "two versions were merged: take one side, then publish the other again");
    if (strlen(text) == r->line.at.end - r->line.at.start && split(r, text)) return true;
    r->line.count = 0;
    return fail_line(r, "this is not a line of a lock");
}

/* Takes the line into the section's sum: line ends are the same on every system. */
static void add_to_sum(reader *r) {
    r->sum = cg_hash(r->sum, r->lock->source->text + r->line.at.start, r->line.at.end - r->line.at.start);
    r->sum = cg_hash(r->sum, "\n", 1);
}

static bool is_word(const reader *r, size_t ix, const char *word) {
    return ix < r->line.count && strcmp(r->line.words[ix], word) == 0;
}

/* The number that is the word, 0 .. most; fails otherwise. */
static uint32_t number(reader *r, size_t ix, uint32_t most) {
    cg_number parsed;
    const bool is_one = ix < r->line.count && cg_number_parse(r->line.words[ix], &parsed) == CG_NUMBER_OK &&
                        cg_number_fits(&parsed, 32, false);
    if (is_one && cg_number_u64(&parsed) <= most) return (uint32_t)cg_number_u64(&parsed);
    (void)fail_line(r, "this is not a line of a lock: a number is missing or out of range");
    return 0;
}

/* Reads `word NUMBER` at *ix when it is there. */
static bool option(reader *r, size_t *ix, const char *word, uint32_t *out) {
    if (!is_word(r, *ix, word)) return false;
    *out = number(r, *ix + 1, UINT32_MAX);
    *ix += 2;
    return true;
}

static bool flag(const reader *r, size_t *ix, const char *word) {
    if (!is_word(r, *ix, word)) return false;
    ++*ix;
    return true;
}

static bool ends(reader *r, size_t ix) {
    return ix == r->line.count ? !r->is_failed : fail_line(r, "this is not a line of a lock: a word is wrong here");
}

/* ---- entries ---------------------------------------------------------------------------------------------------- */

static bool read_number(reader *r, cg_lock_entry *e) {
    cg_lock_number added = {.name = r->line.words[0], .at = r->line.at};
    if (r->line.count != 2 || cg_number_parse(r->line.words[1], &added.value) != CG_NUMBER_OK) {
        return fail_line(r, "this is not a line of a lock: a name and its number are needed here");
    }
    e->numbers = cg_arena_grow(r->arena, e->numbers, e->number_count, sizeof added);
    e->numbers[e->number_count++] = added;
    return true;
}

static bool read_group(reader *r, cg_lock_entry *e) {
    cg_lock_group added = {.at = r->line.at, .since = number(r, 1, UINT16_MAX)};
    size_t ix = 2;
    if (!option(r, &ix, "ends", &added.end)) return fail_line(r, "this is not a line of a lock: 'ends' is missing");
    if (option(r, &ix, "bitmap", &added.bitmap_size) && !option(r, &ix, "at", &added.bitmap_offset)) {
        return fail_line(r, "this is not a line of a lock: 'at' is missing");
    }
    if (!ends(r, ix)) return false;
    e->groups = cg_arena_grow(r->arena, e->groups, e->group_count, sizeof added);
    e->groups[e->group_count++] = added;
    return true;
}

static bool read_field(reader *r, cg_lock_entry *e) {
    size_t ix = 2;
    if (e->group_count == 0 || r->line.count < 2) return fail_line(r, "this is not a line of a lock: no group has it");
    cg_lock_group *group = &e->groups[e->group_count - 1];
    cg_lock_field added = {.name = r->line.words[0], .type = r->line.words[1], .at = r->line.at};
    if (!option(r, &ix, "at", &added.offset) || !option(r, &ix, "size", &added.size)) {
        return fail_line(r, "this is not a line of a lock: 'at' or 'size' is missing");
    }
    (void)option(r, &ix, "count", &added.count_size);
    added.is_tail = flag(r, &ix, "tail");
    added.is_optional = option(r, &ix, "bit", &added.bit);
    added.is_retired = flag(r, &ix, "retired");
    if (!ends(r, ix)) return false;
    group->fields = cg_arena_grow(r->arena, group->fields, group->field_count, sizeof added);
    group->fields[group->field_count++] = added;
    return true;
}

/* The first line of an entry; false when it is none. */
static bool read_head(reader *r, cg_lock_entry *e) {
    size_t ix = 3;
    e->at = e->lines = r->line.at;
    e->version = r->lock->version;
    if (r->line.indent != 0 || r->line.count < 3) return fail_line(r, "this is not a line of a lock");
    e->name = r->line.words[1];
    if (is_word(r, 0, "enum")) {
        e->kind = CG_LOCK_ENUM;
        e->base = r->line.words[2];
        e->is_open = flag(r, &ix, "open");
        return e->is_open || flag(r, &ix, "closed") ? ends(r, ix) : ends(r, 0);
    }
    if (is_word(r, 0, "type")) {
        ix = 2;
        e->kind = CG_LOCK_TYPE;
        if (!option(r, &ix, "align", &e->align)) return ends(r, 0);
        e->is_extensible = flag(r, &ix, "extensible");
        return ends(r, ix);
    }
    e->kind = is_word(r, 0, "message") ? CG_LOCK_MESSAGE : CG_LOCK_RETIRED;
    if (e->kind == CG_LOCK_RETIRED && !is_word(r, 0, "retired")) return ends(r, 0);
    e->tlv_type = (uint16_t)number(r, 2, UINT16_MAX);
    if (e->kind == CG_LOCK_MESSAGE) e->has_block_len = option(r, &ix, "block_len", &e->block_len_offset);
    return ends(r, ix);
}

/* A line below an entry's first. */
static bool read_part(reader *r, cg_lock_entry *e) {
    const bool has_groups = e->kind == CG_LOCK_TYPE || e->kind == CG_LOCK_MESSAGE;
    e->lines.end = r->line.at.end;
    if (e->kind == CG_LOCK_ENUM && r->line.indent == 1) return read_number(r, e);
    if (has_groups && r->line.indent == 1 && is_word(r, 0, "group") && r->line.count > 1) return read_group(r, e);
    if (has_groups && r->line.indent == 2) return read_field(r, e);
    return fail_line(r, "this is not a line of a lock: it stands in the wrong place");
}

const char *cg_lock_past(cg_arena *arena, const char *message, uint16_t tlv_type, const char *field) {
    return field == NULL ? message : cg_arena_format(arena, "%u %s", tlv_type, field);
}

/* Remembers which names a message and its fields had. */
static void remember(reader *r, cg_lock_entry *e) {
    cg_table *past = &r->lock->past;
    cg_table_add(past, cg_lock_past(r->arena, e->name, e->tlv_type, NULL), e);
    for (size_t i = 0; i < e->group_count; i++) {
        const cg_lock_group *group = &e->groups[i];
        for (size_t k = 0; k < group->field_count; k++) {
            cg_table_add(past, cg_lock_past(r->arena, e->name, e->tlv_type, group->fields[k].name), e);
        }
    }
}

/* Makes the entry the standing one. */
static bool stand(reader *r, cg_lock_entry *e) {
    if (e->kind == CG_LOCK_ENUM || e->kind == CG_LOCK_TYPE) {
        cg_table *table = e->kind == CG_LOCK_ENUM ? &r->lock->enums : &r->lock->types;
        cg_lock_entry *standing = cg_table_add(table, e->name, e);
        *standing = *e;
        return true;
    }
    if (e->tlv_type == 0) return fail_line(r, "this is not a line of a lock: tlv_type 0");
    const cg_lock_entry *before = cg_ids_find(&r->by_type, e->tlv_type);
    e->since = before == NULL ? e->version : before->since;
    cg_ids_set(&r->by_type, e->tlv_type, e);
    remember(r, e);
    return true;
}

/* ---- sections --------------------------------------------------------------------------------------------------- */

static bool read_version(reader *r) {
    cg_lock *lock = r->lock;
    if (!is_word(r, 0, "version") || r->line.indent != 0 || r->line.count != 6 || !is_word(r, 4, "min_compatible")) {
        return fail_line(r, "this is not a line of a lock: a version begins here");
    }
    const uint32_t version = number(r, 1, UINT16_MAX);
    if (version <= lock->version) return fail_line(r, "versions of a lock rise: this one is not above the one before");
    lock->version = (uint16_t)version;
    lock->schema_name = r->line.words[2];
    lock->schema_id = number(r, 3, UINT32_MAX);
    lock->min_compatible = (uint16_t)number(r, 5, UINT16_MAX);
    lock->at = r->line.at;
    r->sum = cg_lock_sum_start(lock->checksum);
    r->section_line = r->next;
    add_to_sum(r);
    return !r->is_failed;
}

static bool check_end(reader *r) {
    char expected[17];
    cg_lock *lock = r->lock;
    if (r->line.count != 3 || number(r, 1, UINT16_MAX) != lock->version) {
        return fail_line(r, "this is not a line of a lock: it ends another version");
    }
    cg_lock_sum_print(r->sum, expected);
    lock->checksum = r->sum;
    if (strcmp(expected, r->line.words[2]) == 0) return true;
    cg_report(r->diags, CG_E_LOCK_SUM, r->line.at,
              "version %u was changed after it was published: lines %u to %u are not what `bufpoolc publish` wrote; "
              "restore them",
              lock->version, r->section_line, r->next);
    r->is_failed = true;
    return false;
}

/* One version, from its first line, which is the latest one, to its end. */
static bool read_section(reader *r) {
    cg_lock_entry *entry = NULL;
    if (!read_version(r)) return false;
    while (advance(r)) {
        if (r->line.indent == 0 && entry != NULL && !stand(r, entry)) return false;
        if (r->line.indent == 0 && is_word(r, 0, "end")) return check_end(r);
        add_to_sum(r);
        if (r->line.indent == 0) entry = CG_NEW(r->arena, cg_lock_entry);
        if (entry == NULL) return fail_line(r, "this is not a line of a lock: it belongs to nothing");
        if (!(r->line.indent == 0 ? read_head(r, entry) : read_part(r, entry))) return false;
    }
    return fail_line(r, "the lock ends in the middle of a version: restore it");
}

static void index_messages(reader *r) {
    cg_lock *lock = r->lock;
    for (uint32_t next = 0; cg_ids_next(&r->by_type, &next) != NULL;) lock->message_count++;
    lock->messages = CG_NEW_ARRAY(r->arena, cg_lock_entry *, lock->message_count);
    cg_lock_entry *entry = NULL;
    size_t count = 0;
    for (uint32_t next = 0; (entry = cg_ids_next(&r->by_type, &next)) != NULL;) {
        lock->messages[count++] = entry;
        cg_table_add(&lock->by_name, entry->name, entry);
    }
}

static void read_all(reader *r) {
    const bool is_lock = advance(r) && r->line.indent == 0 && r->line.count == 3 && is_word(r, 0, "bufpool") &&
                         is_word(r, 1, "lock") && is_word(r, 2, "1");
    if (!is_lock && !r->is_failed) (void)fail_line(r, "a lock begins with the line: bufpool lock 1");
    while (is_lock && advance(r) && read_section(r)) continue;
    if (!r->is_failed) index_messages(r);
}

const cg_lock *cg_lock_read(cg_arena *arena, const cg_source *source, cg_diags *diags) {
    const cg_source *before = diags->source;
    reader r = {.arena = arena, .diags = diags, .lock = CG_NEW(arena, cg_lock)};
    r.by_type.arena = arena;
    r.lock->source = source;
    r.lock->enums.arena = r.lock->types.arena = r.lock->by_name.arena = r.lock->past.arena = arena;
    diags->arena = arena;
    diags->source = source;
    read_all(&r);
    if (before != NULL) diags->source = before;
    return r.is_failed ? NULL : r.lock;
}

const char *cg_lock_path(cg_arena *arena, const char *contract) {
    if (strcmp(contract, "-") == 0) return NULL;
    const size_t length = strlen(contract);
    const char *const dot = strrchr(contract, '.');
    const bool is_yaml = dot != NULL && (strcmp(dot, ".yaml") == 0 || strcmp(dot, ".yml") == 0);
    const size_t stem = is_yaml ? (size_t)(dot - contract) : length;
    return cg_arena_format(arena, "%s.lock", cg_arena_copy(arena, contract, stem));
}

/* ---- order ------------------------------------------------------------------------------------------------------ */

static const cg_lock_entry *find_shape(const cg_lock *lock, bool is_message, const char *name, const char *was) {
    const cg_table *table = is_message ? &lock->by_name : &lock->types;
    const cg_lock_entry *found = cg_table_find(table, name);
    return found == NULL && was != NULL ? cg_table_find(table, was) : found;
}

/* The published fields of a shape by name, each with its rank, from 1. */
static cg_table ranks_of(cg_arena *arena, const cg_lock_entry *entry, uintptr_t *count) {
    cg_table ranks = {.arena = arena};
    for (size_t i = 0; i < entry->group_count; i++) {
        for (size_t k = 0; k < entry->groups[i].field_count; k++) {
            cg_table_add(&ranks, entry->groups[i].fields[k].name, (void *)++*count);
        }
    }
    return ranks;
}

typedef struct ranked {
    cg_field field;
    uintptr_t rank;
} ranked;

static int by_rank(const void *left, const void *right) {
    const ranked *a = left, *b = right;
    return (a->rank > b->rank) - (a->rank < b->rank);
}

void cg_lock_order(const cg_lock *lock, bool is_message, const char *name, const char *was, cg_field *fields,
                   size_t count) {
    uintptr_t published = 0;
    const cg_lock_entry *entry = lock == NULL || name == NULL ? NULL : find_shape(lock, is_message, name, was);
    if (entry == NULL || count < 2) return;
    const cg_table ranks = ranks_of(lock->enums.arena, entry, &published);
    ranked *ordered = CG_NEW_ARRAY(lock->enums.arena, ranked, count);
    for (size_t i = 0; i < count; i++) {
        const cg_field *field = &fields[i];
        uintptr_t rank = (uintptr_t)cg_table_find(&ranks, field->name.text);
        if (rank == 0 && field->was != NULL) rank = (uintptr_t)cg_table_find(&ranks, field->was);
        ordered[i] = (ranked){*field, rank != 0 ? rank : published + 1 + i};
    }
    qsort(ordered, count, sizeof *ordered, by_rank);
    for (size_t i = 0; i < count; i++) fields[i] = ordered[i].field;
}

bool cg_lock_was_empty(const cg_lock *lock, const char *name, const char *was) {
    const cg_lock_entry *entry = lock == NULL || name == NULL ? NULL : find_shape(lock, true, name, was);
    return entry != NULL && entry->group_count != 0 && entry->groups[0].end == 0;
}

/* ---- history ---------------------------------------------------------------------------------------------------- */

const cg_lock_entry *cg_lock_message(const cg_lock *lock, uint16_t tlv_type) {
    size_t low = 0, high = lock == NULL ? 0 : lock->message_count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (lock->messages[middle]->tlv_type == tlv_type) return lock->messages[middle];
        if (lock->messages[middle]->tlv_type < tlv_type)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

uint32_t cg_lock_since(const cg_lock *lock, uint16_t tlv_type, uint32_t version) {
    const cg_lock_entry *entry = cg_lock_message(lock, tlv_type);
    if (lock == NULL || lock->version == 0) return 1;
    return entry == NULL || entry->since > version ? version : entry->since;
}

uint32_t cg_lock_retired_since(const cg_lock *lock, uint16_t tlv_type, uint32_t version) {
    const cg_lock_entry *entry = cg_lock_message(lock, tlv_type);
    if (entry == NULL || entry->kind != CG_LOCK_RETIRED || entry->version > version) return version;
    return entry->version;
}

const cg_lock *cg_lock_for_older(cg_arena *arena, const cg_lock *lock) {
    cg_lock *older = CG_NEW(arena, cg_lock);
    if (lock == NULL) return NULL;
    *older = *lock;
    older->version = 0;
    return older;
}
