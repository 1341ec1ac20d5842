/* transfer/dir_store.h: the store that keeps objects in a directory.
 *
 * Glossary
 *   root      the directory; objects are its files, and those of directories below it
 *   work      `.bufpool` in it, where what is unfinished lies; made with the first put
 *   tidy      a store that leaves nothing: what is committed is forgotten at once, nobody being there who could lose
 *             the answer, and work is removed with the last of what is in it. A client's files have such
 *   part file `<token>.part` in work: the object that is being put, each part at its place
 *   log       `<token>.log`: what of it is there, as frames of transfer.yaml
 *   hold      a token that somebody works on: a record lock on one byte of `.bufpool/lock` keeps other processes away,
 *             and the table of holds the other threads of this one
 *   place     an object's directory, open, and its name in there
 *   chain     the check of a log's last record; the next one's begins with it
 *
 * What is in work, and what it means. Every change goes from one line to the next, or to one above, by a single call:
 *
 *     nothing                          the token is unknown
 *     part file                        nobody has the token: begun, or thrown away (swept)
 *     part file, log                   a put, of which the log's parts are there
 *     part file, log with LogCommit    a put that is whole, and may be renamed
 *     log with LogCommit               it was renamed: committed
 *
 * Everything here runs on libuv's threads, but for bp_dir_store_new and free; writes of one put one after another. Descriptors are open during a call only,
 * but for root, and in a store that is not tidy work and the file of locks, once a put was opened.
 *
 * Invariants
 *   a put is open  <=>  it is a hold of its store's table, and its byte is locked
 *   locks >= 0  <=>  work >= 0;  work_users != 0  =>  work >= 0, and the other way round where the store is tidy
 *   work >= 0  <=>  its gate is locked, so nobody removes it
 *   crc == that of parts 0 .. plan.first - 1;  crcs[n % 64] is part n's, for every part n of the window that is done */
#ifndef BUFPOOL_TRANSFER_DIR_STORE_H
#define BUFPOOL_TRANSFER_DIR_STORE_H

#include "transfer/generated/bpi_transfer_messages.h"
#include "transfer/plan.h"
#include "transfer/store.h"

#include <dirent.h>
#include <sys/stat.h>

_Static_assert(sizeof(off_t) >= 8, "files of a store may be large: _FILE_OFFSET_BITS is 64");

enum {
    BPI_DIR_HOLDS = 256,  /* chains of the table */
    BPI_DIR_WINDOW = 64,  /* parts behind the first missing one that may be there */
    BPI_DIR_FILE = 40     /* bytes of a file's name in work: 32 digits, ".part" */
};

/* ---- store (dir_store.c) ---- */

typedef struct bpi_dir_hold {
    struct bpi_dir_hold *next;
    uint64_t at; /* the byte */
} bpi_dir_hold;

typedef struct bpi_dir {
    bp_store store; /* first: a directory store is a store */
    int root;
    bool is_followed, is_fast, is_tidy, has_boot;
    uint8_t boot[16]; /* of this system, where has_boot */
    uint64_t keep_ms;
    bpi_lock lock; /* of what follows */
    int work, locks; /* -1: not open */
    uint32_t work_users;
    uint64_t swept_at; /* clock, in ms, of the last sweep; 0: none yet */
    bpi_dir_hold *holds[BPI_DIR_HOLDS];
} bpi_dir;

static inline bpi_dir *bpi_dir_of(bp_store *store) { return (bpi_dir *)store; }

/* As bp_dir_store_new, for a client's files: tidy. Files that are only read need no work, and make none. */
BP_NODISCARD bp_err bpi_dir_store_new_tidy(const char *path, const bp_dir_store_options *options, bp_store **out);

/* Throws away an unfinished put, unless somebody works on it. Here and now, on the caller's thread. */
void bpi_dir_store_discard(bp_store *store, const bp_token *token);

/* ---- files (dir_file.c) ---- */

/* What an errno means here. */
bp_err bpi_dir_err(int number);

/* All length bytes, whatever interrupts. bpi_dir_read tells how many there were before the file's end. */
BP_NODISCARD bp_err bpi_dir_write(int fd, const void *data, size_t length, uint64_t offset);
BP_NODISCARD bp_err bpi_dir_read(int fd, void *data, size_t length, uint64_t offset, size_t *got);

/* Opens a regular file of directory `at`, O_CLOEXEC. BP_ERR_NOT_FOUND: there is none, or it is something else. */
BP_NODISCARD bp_err bpi_dir_open(int at, const char *name, int flags, int *fd, struct stat *file);

/* Has the bytes, or a directory's names, on the disk. */
BP_NODISCARD bp_err bpi_dir_sync(int fd);
BP_NODISCARD bp_err bpi_dir_sync_directory(int at);

/* Closes *fd if it is open, and sets it to -1. */
void bpi_dir_close(int *fd);

/* The version of a file; never 0. */
uint64_t bpi_dir_version(const struct stat *file);

/* The sum of an object is kept with its file, where the file system has attributes: set before the last change of the
 * file, found as long as there is none. */
void bpi_dir_keep_crc(int fd, uint32_t crc);
bool bpi_dir_find_crc(int fd, const struct stat *file, uint32_t *crc);

/* ---- names (dir_name.c) ---- */

typedef struct bpi_dir_place {
    int at;           /* the directory; -1: none */
    const char *leaf; /* in it; points into the name */
} bpi_dir_place;

/* Whether an object can have the name. */
bool bpi_dir_is_name(const char *name);

/* Whether a segment of length bytes, between slashes, can be of a name: of a directory's entry, too. */
bool bpi_dir_is_segment(const char *segment, size_t length);

/* The place of a name that can be one. BP_ERR_NOT_FOUND: a directory is missing; BP_ERR_NAME: something else is in the
 * way. bpi_dir_leave is due after either. */
BP_NODISCARD bp_err bpi_dir_find(const bpi_dir *dir, const char *name, bpi_dir_place *out);

/* The same, and makes the directories that are missing. */
BP_NODISCARD bp_err bpi_dir_make(const bpi_dir *dir, const char *name, bpi_dir_place *out);
void bpi_dir_leave(bpi_dir_place *place);

/* Opens the object of a name for reading. BP_ERR_NAME, BP_ERR_NOT_FOUND. */
BP_NODISCARD bp_err bpi_dir_open_object(const bpi_dir *dir, const char *name, int *fd, struct stat *file);

/* ---- work (dir_work.c) ---- */

/* Work is open, and is made where is_made, until bpi_dir_leave_work. BP_ERR_NOT_FOUND: there is none. */
BP_NODISCARD bp_err bpi_dir_enter_work(bpi_dir *dir, bool is_made);
void bpi_dir_leave_work(bpi_dir *dir);

/* Inside: what is in it; NULL: that cannot be read. */
DIR *bpi_dir_open_names(const bpi_dir *dir);

/* Inside: a byte of the file of locks, one of the first 2^62. BP_ERR_BUSY: another process, or store, has it. */
BP_NODISCARD bp_err bpi_dir_lock_byte(const bpi_dir *dir, uint64_t at);
void bpi_dir_unlock_byte(const bpi_dir *dir, uint64_t at);

/* ---- holds (dir_hold.c) ---- */

typedef enum bpi_dir_kind { BPI_DIR_PART, BPI_DIR_LOG, BPI_DIR_NEW } bpi_dir_kind; /* NEW: a log while it is written */

/* A file's name in work, and back; false: it is none. */
void bpi_dir_file(const bp_token *token, bpi_dir_kind kind, char out[BPI_DIR_FILE]);
bool bpi_dir_file_parse(const char *name, bp_token *token, bpi_dir_kind *kind);

/* Work is entered: nobody else works on the token until bpi_dir_free_hold. BP_ERR_BUSY: somebody does. */
BP_NODISCARD bp_err bpi_dir_take_hold(bpi_dir *dir, bpi_dir_hold *hold, const bp_token *token);
void bpi_dir_free_hold(bpi_dir *dir, bpi_dir_hold *hold);

/* Unlinks what work has of a token that is held. Only then it is unknown again. */
void bpi_dir_forget(const bpi_dir *dir, const bp_token *token);

/* Forgets what nobody went on with for keep_ms, if it was not looked after lately. */
void bpi_dir_sweep(bpi_dir *dir);

/* ---- log (dir_log.c) ---- */

/* The end of a log. */
typedef struct bpi_dir_log {
    uint64_t at; /* where the next record goes */
    uint32_t chain;
} bpi_dir_log;

/* A record; which one, type says: BPI_TRANSFER_LOG_PUT_TYPE, ... Its check is the log's business. */
typedef struct bpi_dir_record {
    uint16_t type;
    union {
        bpi_transfer_log_put put;
        bpi_transfer_log_part part;
        bpi_transfer_log_commit commit;
    };
} bpi_dir_record;

/* Writes a record at the log's end, which moves on. After an error it did not, and the next record takes the place. */
BP_NODISCARD bp_err bpi_dir_log_add(bpi_dir_log *log, int fd, const bpi_dir_record *record);

enum { BPI_DIR_LOG_PIECE = 4096 };

/* Reads a log from its beginning; log is its end so far. */
typedef struct bpi_dir_log_reader {
    int fd;
    bpi_dir_log log;
    uint32_t used, count; /* of the piece */
    uint8_t piece[BPI_DIR_LOG_PIECE];
} bpi_dir_log_reader;

void bpi_dir_log_reader_init(bpi_dir_log_reader *reader, int fd);

/* The next record. BP_ERR_END: there is none: the file ends, or what comes was not written whole behind the others. */
BP_NODISCARD bp_err bpi_dir_log_next(bpi_dir_log_reader *reader, bpi_dir_record *out);

/* ---- puts (dir_put.c, dir_resume.c) ---- */

/* What put_open and get_open answer begins so. */
typedef struct bpi_dir_object {
    bool is_put;
} bpi_dir_object;

/* An open put. */
typedef struct bpi_dir_put {
    bpi_dir_object object; /* first: a put is an object */
    bpi_dir_hold hold;
    bp_token token;
    uint64_t size; /* as it was opened with */
    bpi_line line; /* of its writes, which are the only calls that can be under way at the same time */
    bpi_plan plan;
    bpi_dir_log log;
    uint32_t crc;
    uint32_t crcs[BPI_DIR_WINDOW];
    bool has_commit; /* the log has a LogCommit */
    bool is_done;    /* committed, or thrown away: only close follows */
    char name[BP_OBJECT_NAME_MAX + 1];
} bpi_dir_put;

/* A part that is under way is done, and its sum known. */
void bpi_dir_put_count(bpi_dir_put *put, uint64_t part, uint32_t crc);

/* A short part ends an object whose size was not known. False: it cannot be the last one. */
BP_NODISCARD bool bpi_dir_put_end(bpi_plan *plan, uint64_t part, uint32_t length);

/* Fills in the put that is held from what work has of its token; *file: what it was committed as, if it was. */
BP_NODISCARD bp_err bpi_dir_resume(const bpi_dir *dir, bpi_dir_put *put, const bp_store_call *call, bool *is_committed,
                                   uint64_t *file);

bp_store_fn bpi_dir_put_open, bpi_dir_put_write, bpi_dir_put_commit, bpi_dir_put_abort;

/* ---- gets and lists (dir_get.c, dir_list.c) ---- */

bp_store_fn bpi_dir_get_open, bpi_dir_get_read, bpi_dir_list;
bp_store_fn bpi_dir_close_object; /* of either (dir_store.c) */

#endif
