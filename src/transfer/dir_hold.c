#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64
/* Who works on what is unfinished, what its files are called, and when they are swept away. */
#include "transfer/dir_store.h"

#include "bufpool/detail/bytes.h"

#include <errno.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

/* ---- names of files ---- */

static const char *const kinds[] = {[BPI_DIR_PART] = ".part", [BPI_DIR_LOG] = ".log", [BPI_DIR_NEW] = ".new"};
enum { KIND_COUNT = sizeof kinds / sizeof kinds[0] };

void bpi_dir_file(const bp_token *token, bpi_dir_kind kind, char out[BPI_DIR_FILE]) {
    char *end = out;
    for (size_t i = 0; i < sizeof token->bytes; i++) {
        *end++ = "0123456789abcdef"[token->bytes[i] >> 4];
        *end++ = "0123456789abcdef"[token->bytes[i] & 15];
    }
    memcpy(end, kinds[kind], strlen(kinds[kind]) + 1);
}

static int digit_of(char c) {
    const char *at = c == '\0' ? NULL : strchr("0123456789abcdef", c);
    return at == NULL ? -1 : (int)(at - "0123456789abcdef");
}

bool bpi_dir_file_parse(const char *name, bp_token *token, bpi_dir_kind *kind) {
    for (size_t i = 0; i < sizeof token->bytes; i++, name += 2) {
        const int high = digit_of(name[0]), low = high < 0 ? -1 : digit_of(name[1]);
        if (low < 0) return false;
        token->bytes[i] = (uint8_t)(high << 4 | low);
    }
    for (int i = 0; i < KIND_COUNT; i++) {
        if (strcmp(name, kinds[i]) != 0) continue;
        *kind = (bpi_dir_kind)i;
        return true;
    }
    return false;
}

/* ---- holds ---- */

static uint64_t byte_of(const bp_token *token) { return bpi_load_u64(token->bytes) >> 2; }

static bpi_dir_hold **find_hold(bpi_dir *dir, uint64_t at) {
    bpi_dir_hold **link = &dir->holds[at % BPI_DIR_HOLDS];
    while (*link != NULL && (*link)->at != at) link = &(*link)->next;
    return link;
}

static bp_err take_hold(bpi_dir *dir, bpi_dir_hold *hold, uint64_t at) {
    bpi_dir_hold **link = find_hold(dir, at);
    if (*link != NULL) return BP_ERR_BUSY;
    const bp_err err = bpi_dir_lock_byte(dir, at);
    if (err != BP_OK) return err;
    *hold = (bpi_dir_hold){.next = NULL, .at = at};
    *link = hold;
    return BP_OK;
}

bp_err bpi_dir_take_hold(bpi_dir *dir, bpi_dir_hold *hold, const bp_token *token) {
    bpi_lock_enter(&dir->lock);
    const bp_err err = take_hold(dir, hold, byte_of(token));
    bpi_lock_leave(&dir->lock);
    return err;
}

void bpi_dir_free_hold(bpi_dir *dir, bpi_dir_hold *hold) {
    bpi_lock_enter(&dir->lock);
    *find_hold(dir, hold->at) = hold->next;
    bpi_dir_unlock_byte(dir, hold->at);
    bpi_lock_leave(&dir->lock);
}

/* The log first: without a part file it would say that the put is committed. */
void bpi_dir_forget(const bpi_dir *dir, const bp_token *token) {
    static const bpi_dir_kind order[] = {BPI_DIR_LOG, BPI_DIR_PART, BPI_DIR_NEW};
    char name[BPI_DIR_FILE];
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
        bpi_dir_file(token, order[i], name);
        if (unlinkat(dir->work, name, 0) != 0 && errno != ENOENT) return;
    }
}

/* ---- sweeping ---- */

enum { SWEEP_MS_MAX = 3600 * 1000 };

static int64_t milliseconds(const struct timespec *time) {
    return (int64_t)time->tv_sec * 1000 + (int64_t)(time->tv_nsec / 1000000);
}

static bool is_old(const bpi_dir *dir, const bp_token *token, bpi_dir_kind kind) {
    char name[BPI_DIR_FILE];
    struct stat file;
    struct timespec now;
    bpi_dir_file(token, kind, name);
    if (fstatat(dir->work, name, &file, AT_SYMLINK_NOFOLLOW) != 0) return errno == ENOENT;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return milliseconds(&now) - milliseconds(&file.st_mtim) > (int64_t)dir->keep_ms;
}

/* Somebody may have gone on with it before it was held. */
static void sweep_one(bpi_dir *dir, const bp_token *token) {
    bpi_dir_hold hold;
    if (bpi_dir_take_hold(dir, &hold, token) != BP_OK) return;
    if (is_old(dir, token, BPI_DIR_LOG) && is_old(dir, token, BPI_DIR_PART)) bpi_dir_forget(dir, token);
    bpi_dir_free_hold(dir, &hold);
}

static void sweep_all(bpi_dir *dir) {
    DIR *names = bpi_dir_open_names(dir);
    if (names == NULL) return;
    for (const struct dirent *entry; (entry = readdir(names)) != NULL;) {
        bp_token token;
        bpi_dir_kind kind;
        if (bpi_dir_file_parse(entry->d_name, &token, &kind) && is_old(dir, &token, kind)) sweep_one(dir, &token);
    }
    (void)closedir(names);
}

/* Whether it is time, and nobody else's turn. */
static bool is_due(bpi_dir *dir) {
    const uint64_t every = dir->keep_ms / 4 < SWEEP_MS_MAX ? dir->keep_ms / 4 : SWEEP_MS_MAX;
    const uint64_t now = uv_hrtime() / 1000000 + 1;
    bpi_lock_enter(&dir->lock);
    const bool is = dir->swept_at == 0 || now - dir->swept_at >= every;
    if (is) dir->swept_at = now;
    bpi_lock_leave(&dir->lock);
    return is;
}

void bpi_dir_sweep(bpi_dir *dir) {
    if (is_due(dir)) sweep_all(dir);
}
