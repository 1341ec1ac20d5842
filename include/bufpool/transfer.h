/* bufpool/transfer.h: objects larger than any buffer, in parts, under the pool's memory limit.
 *
 * An object is bytes under a name, with a size and a version that changes when the bytes do. A client puts objects into
 * a server's store and gets them, or ranges of them, back; both travel as parts, several in flight, over an ordinary
 * connection (transport.h), beside whatever else it carries. What a part takes is asked of the connection's pool, in
 * turn, before its bytes move, and given back once they have left: a transfer never holds more than parts_in_flight
 * parts, all of them together never more than the pool's limit.
 *
 *     bp_transfer_server *objects = NULL;                            // in the server
 *     bp_store *store = NULL;
 *     bp_err err = bp_dir_store_new("/srv/objects", NULL, &store);
 *     if (err == BP_OK) err = bp_transfer_server_new(&(bp_transfer_server_config){.store = store}, &objects);
 *     config.conn.services[config.conn.service_count++] = bp_transfer_server_service(objects);
 *
 *     bp_put_config put = {.name = "logs/today", .path = "today.log", .on_done = on_done};   // in the client
 *     err = bp_transfer_client_put(objects, &put, &transfer);
 *
 * Whole or not at all: under its name an object is the old one or the new one, whatever is killed when. Every part and
 * every object carries a CRC32C. What was put before a connection was lost, or a process killed, is found again by its
 * token and not sent again.
 *
 * Threads: as in transport.h: a transfer client, its transfers and their callbacks belong to the thread of their
 * connection's loop. A transfer server and a store serve any number of loops. */
#ifndef BUFPOOL_TRANSFER_H
#define BUFPOOL_TRANSFER_H

#include "bufpool/base.h"
#include "bufpool/pool.h"
#include "bufpool/transport.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
    BP_OBJECT_NAME_MAX = 255,         /* bytes of a name */
    BP_PART_SIZE_MIN = 4096,          /* bytes of an object in a part */
    BP_PART_SIZE_DEFAULT = 1 << 20,
    BP_PART_SIZE_MAX = 1 << 24,
    BP_PARTS_IN_FLIGHT_DEFAULT = 4,   /* of one transfer */
    BP_PARTS_IN_FLIGHT_MAX = 64
};

#define BP_SIZE_UNKNOWN UINT64_MAX /* of an object: it is known at its end */
#define BP_PART_NONE UINT64_MAX    /* an error that is of no part */

/* By what an unfinished put is found again; all zero is none. Whoever knows it may go on with the put. */
typedef struct bp_token {
    uint8_t bytes[16];
} bp_token;

/* An object as a list, or the beginning of a get, tells of it. */
typedef struct bp_object_info {
    const char *name; /* valid during the call */
    uint64_t size;    /* bytes */
    uint64_t version; /* never 0; another one: the bytes may be others */
} bp_object_info;

/* ---- store ------------------------------------------------------------------------------------------------------ */

/* Where a server's objects are. The library ships one that keeps them in a directory (bp_dir_store_new); others fill a
 * table. */
typedef struct bp_store bp_store;

/* One call of a store's function. What it needs is written here, and so is what it answers. */
typedef struct bp_store_call {
    struct uv_loop_s *loop; /* in: of the calling thread; good for uv_queue_work until the call is answered */
    void *object;           /* out of put_open and get_open, the store's own; in: to all others but list */
    const char *name;       /* in: put_open, get_open; list: the prefix */
    const char *after;      /* in: list: only names behind this one, in the order of their bytes; "": all */
    uint64_t size;          /* in: put_open (or BP_SIZE_UNKNOWN), commit; out: get_open */
    uint32_t part_size;     /* in: put_open */
    bp_token token;         /* in: put_open, none for a new one; out: the put's */
    uint64_t version;       /* in: get_open, 0: any; out: get_open, commit, put_open of what is committed already */
    uint64_t first;         /* out: put_open: parts below it are here, */
    uint64_t have;          /* out: put_open: and first + i is where bit i is set */
    bool is_committed;      /* out: put_open: nothing is left to be done, but close; version 0: the name has another */
    uint64_t part, offset;  /* in: read, write; of the part, and of its first byte in the object */
    uint8_t *data;          /* in: read: where the bytes go; write: the bytes, valid until the answer */
    uint32_t length;        /* in: read, write: of the data; read: exactly so many are to be read */
    uint32_t crc;           /* in: write: of the data, commit: of the object; out: read: of the data; get_open: of the
                               object, where has_crc */
    bool has_crc;           /* out: get_open */
    uint32_t count_max;     /* in: list: how many to tell of */
    bool has_more;          /* out: list: there are more */
} bp_store_call;

/* Begins what its name says, and has bp_store_answer called when it is done, there or later. Calls of one object may be
 * under way at the same time, but for commit, abort and close, which come alone and after which only close follows. */
typedef void bp_store_fn(bp_store *store, bp_store_call *call);

typedef struct bp_store_table {
    uint32_t table_bytes; /* sizeof(bp_store_table): tells which slots the implementer knew */
    bool does_crc;        /* its write compares the bytes with crc (BP_ERR_CHECKSUM), and its read tells their crc, on
                             a thread where that stops nobody; else the library does both on the loop's */

    /* A put begins, or with a token goes on: by another process, too. What was answered with BP_OK by write is here,
     * and not written again. BP_ERR_NAME, BP_ERR_NOT_FOUND (no such token), BP_ERR_BUSY (somebody else is at it),
     * BP_ERR_CHANGED (the token's put has another name, size or part size), BP_ERR_PERMISSION, BP_ERR_DISK_FULL,
     * BP_ERR_SYSTEM, as of all others; then there is no object. */
    bp_store_fn *put_open;

    /* A part: the one in which offset / part_size is the number; only the last one is shorter. */
    bp_store_fn *write;

    /* The object is whole, size bytes long and of that crc: makes it the one of its name, at once. BP_ERR_CHECKSUM,
     * BP_ERR_PART_MISSING. */
    bp_store_fn *commit;

    /* Throws away what was put. */
    bp_store_fn *abort;

    /* An object to be read. BP_ERR_NAME, BP_ERR_NOT_FOUND, BP_ERR_CHANGED (there is another version). */
    bp_store_fn *get_open;

    /* BP_ERR_CHANGED: it is no longer the version that was opened. */
    bp_store_fn *read;

    /* Gives the object back; an unfinished put stays, to be found by its token. Cannot fail. */
    bp_store_fn *close;

    /* Names that begin so, in the order of their bytes: bp_store_tell for each. */
    bp_store_fn *list;

    /* The last reference is gone: free it. */
    void (*free)(bp_store *store);
} bp_store_table;

struct bp_store {
    const bp_store_table *table;
    uint32_t references; /* the library's */
};

/* Makes *store, the beginning of the implementer's own struct, a store of this table, with one reference.
 * BP_ERR_ARGUMENT: a slot is missing. */
BP_NODISCARD BP_API bp_err bp_store_init(bp_store *store, const bp_store_table *table);
BP_API bp_store *bp_store_retain(bp_store *store);
BP_API void bp_store_release_take(bp_store **store);

/* The call is done: once for each, on any thread, inside the function or later. The call is the library's again. */
BP_API void bp_store_answer(bp_store_call *call, bp_err err);

/* Inside list, before its answer, on one thread at a time: an object; its name is copied. BP_ERR_NAME: it is longer
 * than BP_OBJECT_NAME_MAX bytes, empty or not UTF-8: nobody could ask for it, so go on with the next. BP_ERR_LIMIT:
 * count_max were told of. BP_ERR_NO_MEMORY: give up, and answer with it. */
BP_NODISCARD BP_API bp_err bp_store_tell(bp_store_call *call, const bp_object_info *object);

/* CRC32C (Castagnoli; RFC 3720) of length bytes behind those that crc is of; 0 to begin with. */
BP_API uint32_t bp_crc32c(uint32_t crc, const void *data, size_t length);

typedef struct bp_dir_store_options {
    bool is_followed;  /* symbolic links in names are followed, out of the directory, too; a put that ends with the name
                          of one replaces it */
    bool is_fast;      /* commit does not wait until the bytes are on the disk: a power cut may leave half an object */
    uint64_t keep_ms;  /* puts that nobody went on with for so long are forgotten, committed ones, too; 0 is a day */
} bp_dir_store_options;

/* A store in a directory, which must be there. Names are paths below it, in UTF-8, made of segments that are not empty,
 * ".", ".." or begin with ".bufpool"; directories are made as they are needed, on the same file system. Files are
 * objects whoever made them; one that is changed in place while it is got is BP_ERR_CHANGED. Several processes may use
 * one directory. What is unfinished is in `.bufpool` in it, from the first put on. A list walks all directories that the
 * prefix allows, for each of its pieces. System calls run on libuv's threads. options may be NULL.
 * BP_ERR_NOT_FOUND, BP_ERR_PERMISSION, BP_ERR_NO_MEMORY, BP_ERR_SYSTEM. */
BP_NODISCARD BP_API bp_err bp_dir_store_new(const char *path, const bp_dir_store_options *options, bp_store **out);

/* ---- server ----------------------------------------------------------------------------------------------------- */

typedef struct bp_transfer_server bp_transfer_server;

typedef enum bp_transfer_kind { BP_TRANSFER_PUT, BP_TRANSFER_GET, BP_TRANSFER_LIST } bp_transfer_kind;

typedef struct bp_transfer_server_config {
    bp_store *store;          /* a reference is taken */
    uint32_t part_size_max;   /* 0 is BP_PART_SIZE_DEFAULT; larger ones are refused with BP_ERR_PART_SIZE */
    uint32_t parts_in_flight; /* of one transfer at most; 0 is BP_PARTS_IN_FLIGHT_DEFAULT */
    uint32_t transfer_limit;  /* of one connection at once; more are refused with BP_ERR_BUSY; 0 is 1,024 */
    uint32_t idle_ms;         /* a transfer of which nothing came or left for so long is given up; what was put stays to
                                 be gone on with. 0 is 60,000; UINT32_MAX: never */
    /* Whether the peer may; NULL: it may. BP_OK, or what it is told, BP_ERR_PERMISSION as a rule. */
    bp_err (*allow)(bp_conn *conn, bp_transfer_kind kind, const char *name, void *user);
    void *user;
} bp_transfer_server_config;

/* BP_ERR_ARGUMENT, BP_ERR_NO_MEMORY. */
BP_NODISCARD BP_API bp_err bp_transfer_server_new(const bp_transfer_server_config *config, bp_transfer_server **out);

/* To be put among the services of a bp_server_config, with which it makes the server speak of objects. Not where
 * full_policy is BP_FULL_DROP_OLD, which could drop a part or an answer: such connections end with BP_ERR_ARGUMENT as
 * they open. A connection that is finished (bp_conn_finish, bp_server_drain) moves no more parts; what was put stays. */
BP_API bp_service bp_transfer_server_service(bp_transfer_server *server);

/* Gives the caller's reference back and sets *server to NULL; free the bp_server first. NULL is allowed. */
BP_API void bp_transfer_server_free_take(bp_transfer_server **server);

/* What was transferred since it was made, and what is now. Any thread. */
typedef struct bp_transfer_stats {
    uint64_t transfers_open, transfers_done, transfers_failed;
    uint64_t parts_in, parts_out;           /* as messages */
    uint64_t bytes_in, bytes_out;           /* of objects */
    uint64_t parts_refused;                 /* that a peer sent although nobody may have */
    uint64_t waits;                         /* parts that waited for memory */
    uint64_t bytes_copied;                  /* from buffer to buffer: puts from memory, asynchronous writes, and parts in
                                               frames under 64 KiB that came among others */
} bp_transfer_stats;
BP_API void bp_transfer_server_stats(const bp_transfer_server *server, bp_transfer_stats *out);

/* ---- client ----------------------------------------------------------------------------------------------------- */

/* Puts and gets over one client's connection; with bp_client_config.reconnect_min_ms, over the next ones, too: what was
 * not answered when one was lost is asked for and sent again, and the rest is not. */
typedef struct bp_transfer_client bp_transfer_client;
typedef struct bp_transfer bp_transfer;

typedef struct bp_transfer_client_config {
    uint32_t part_size;       /* 0 is BP_PART_SIZE_DEFAULT */
    uint32_t parts_in_flight; /* of one transfer at most; 0 is BP_PARTS_IN_FLIGHT_DEFAULT */
    uint32_t idle_ms;         /* a transfer that was not paused and did not move for so long, for whatever reason, ends
                                 with BP_ERR_TIMEOUT; 0 is 60,000; UINT32_MAX: never */
    uint32_t memory_ms;       /* one that has nothing in flight, and waited so long for memory, ends with BP_ERR_LIMIT:
                                 who keeps parts and waits for more must copy them out; 0 is 30,000. Times are looked
                                 after as those of connections: never early, late by a second at the most */
} bp_transfer_client_config;

/* BP_ERR_ARGUMENT, BP_ERR_NO_MEMORY. config may be NULL. */
BP_NODISCARD BP_API bp_err bp_transfer_client_new(const bp_transfer_client_config *config, bp_transfer_client **out);

/* To be put among the services of one bp_client_config. */
BP_API bp_service bp_transfer_client_service(bp_transfer_client *client);

/* Frees it and sets *client to NULL; free the bp_client first. Transfers that are left end with BP_ERR_CLOSED, inside
 * this call; what they put stays on the server to be gone on with. With a loop of the caller's what is under way ends
 * as that loop runs. Inside a callback it is allowed. NULL is allowed. */
BP_API void bp_transfer_client_free_take(bp_transfer_client **client);
BP_API void bp_transfer_client_stats(const bp_transfer_client *client, bp_transfer_stats *out);

/* How far a transfer is. */
typedef struct bp_progress {
    uint64_t size;       /* bytes that it is of; BP_SIZE_UNKNOWN */
    uint64_t done;       /* bytes that are at the other end for good, or were handed on, those of earlier lives
                            included */
    uint64_t parts_sent; /* parts that travelled in this one's life, repeated ones included */
    uint32_t in_flight;  /* parts under way */
    bool is_connected, is_paused;
} bp_progress;

/* How a transfer ended. */
typedef struct bp_outcome {
    bp_err err;         /* BP_OK; BP_ERR_CANCELLED */
    uint64_t part;      /* the part that it is about; BP_PART_NONE */
    const char *text;   /* the error in words, the other end's where it told; valid during the call; never NULL */
    uint64_t size;      /* of the object, or of what was got of it */
    uint64_t version;   /* of the object; 0: not known */
    uint32_t crc;       /* CRC32C of what was put or got, in whole */
    bp_token token;     /* of a put, or a get to a file, with which it may be gone on with after an error; none: it may
                           not, or was not begun */
} bp_outcome;

/* The transfer is over, and freed after this call. Exactly once for every transfer that was made, never inside the call
 * that made it. This and all other callbacks may do anything, also to their own transfer: begin others, cancel it, free
 * the client. */
typedef void bp_done_fn(bp_transfer *transfer, const bp_outcome *outcome, void *user);

/* Some of it moved; at most once per part. */
typedef void bp_progress_fn(bp_transfer *transfer, const bp_progress *progress, void *user);

typedef struct bp_put_config {
    const char *name;         /* of the object */
    /* Where its bytes come from: a file; or size bytes at data, which stay until on_done; or with neither, whatever is
     * given to bp_transfer_write. */
    const char *path;
    const void *data;
    uint64_t size;            /* of data; of what will be written, or BP_SIZE_UNKNOWN; not read with a path */
    bp_token token;           /* of the unfinished put to go on with; none: a new one. What is written begins at the
                                 object's first byte, whatever the server has of it: that is passed over */
    uint32_t part_size;       /* 0: the client's, which is the most; an unfinished put's is what it was begun with */
    uint32_t parts_in_flight; /* 0: the client's */
    uint32_t deadline_ms;     /* for all of it, BP_ERR_TIMEOUT; 0: none */
    bp_done_fn *on_done;      /* not NULL */
    bp_progress_fn *on_progress;
    void (*on_token)(bp_transfer *transfer, const bp_token *token, void *user); /* the put has its token now */
    void (*on_writable)(bp_transfer *transfer, void *user); /* bp_transfer_write answered BP_PENDING, and may be called */
    void *user;
} bp_put_config;

/* Begins a put; without a connection it waits for one. config is copied, and its name and path are.
 * BP_ERR_ARGUMENT, BP_ERR_NAME, BP_ERR_PART_SIZE, BP_ERR_NO_MEMORY, BP_ERR_CLOSED (the connection is gone, and will not
 * come back); what is wrong with the file is told by on_done. */
BP_NODISCARD BP_API bp_err bp_transfer_client_put(bp_transfer_client *client, const bp_put_config *config,
                                                  bp_transfer **out);

/* Gives a put without path and data its next bytes: they are copied, as many as there is room for now; *taken tells how
 * many. is_last: behind them the object ends. BP_OK: all of them. BP_PENDING: not all, or none; on_writable will be
 * called once, when there is room. BP_ERR_ARGUMENT: the put has another source, its end was told, or more came than its
 * size. Who has no bytes to give holds no memory; half a part holds a part's. */
BP_NODISCARD BP_API bp_err bp_transfer_write(bp_transfer *put, const void *data, size_t length, bool is_last,
                                             size_t *taken);

/* Bytes of a get, in order and once: those of a part that are in the range. The buffer is the library's and holds more
 * than the bytes; bp_buf_retain keeps it, for as long as one likes, on any thread (bytes point into it). Who keeps parts
 * takes memory that the next ones wait for: bp_buf_copy_out, or BP_ERR_LIMIT after memory_ms. An error ends the transfer
 * with it. */
typedef bp_err bp_body_fn(bp_transfer *transfer, uint64_t offset, bp_bytes bytes, bp_buf *buf, void *user);

typedef struct bp_get_config {
    const char *name;         /* of the object */
    /* Where its bytes go: to a file that is made, or replaced, once all are here; or to on_body, not to both. A file
     * begins with the range's first byte. Until then they are in `.bufpool` beside it, where they stay to be gone on
     * with after an error, unless nobody could; when nothing is unfinished there it is removed. */
    const char *path;
    bp_body_fn *on_body;
    uint64_t offset, length;  /* the range, in bytes; length 0: to the end. BP_ERR_RANGE when it is not in the object */
    uint64_t version;         /* 0: any; else BP_ERR_CHANGED when it is another */
    bp_token token;           /* of an unfinished get to the same file, to go on with it, of the same range and version,
                                 which must be told, too: both are in its outcome. None: a new one. BP_ERR_NOT_FOUND:
                                 nothing of it is left; who was killed before on_done may have the file already */
    uint32_t part_size, parts_in_flight, deadline_ms; /* as for a put */
    bp_done_fn *on_done;      /* not NULL */
    bp_progress_fn *on_progress;
    void (*on_token)(bp_transfer *transfer, const bp_token *token, void *user); /* a get to a file has its token now */
    void (*on_found)(bp_transfer *transfer, const bp_object_info *object, void *user); /* before its first byte */
    void *user;
} bp_get_config;

/* Begins a get. Errors as bp_transfer_client_put. */
BP_NODISCARD BP_API bp_err bp_transfer_client_get(bp_transfer_client *client, const bp_get_config *config,
                                                  bp_transfer **out);

typedef struct bp_list_config {
    const char *prefix; /* of the names; NULL: all */
    void (*on_object)(bp_transfer *transfer, const bp_object_info *object, void *user); /* by name; not NULL */
    bp_done_fn *on_done; /* not NULL */
    uint32_t deadline_ms;
    void *user;
} bp_list_config;

/* Begins a list of the server's objects. What changes meanwhile may be told of or not. Errors as
 * bp_transfer_client_put. */
BP_NODISCARD BP_API bp_err bp_transfer_client_list(bp_transfer_client *client, const bp_list_config *config,
                                                   bp_transfer **out);

/* Stops what is not under way yet, and goes on. A paused transfer calls no on_body. */
BP_API void bp_transfer_pause(bp_transfer *transfer);
BP_API void bp_transfer_resume(bp_transfer *transfer);

/* Ends it with BP_ERR_CANCELLED, soon; without a connection perhaps inside this call. What was put, or got to a file,
 * stays to be gone on with where is_kept, and is thrown away else, as far as the server can be told. Nothing happens
 * when it is over already. */
BP_API void bp_transfer_cancel(bp_transfer *transfer, bool is_kept);

BP_API void bp_transfer_progress(const bp_transfer *transfer, bp_progress *out);

/* None as long as there is none. */
BP_API bp_token bp_transfer_token(const bp_transfer *transfer);

/* A token as 32 digits and a NUL, and back. BP_ERR_ARGUMENT: the text is none. */
enum { BP_TOKEN_TEXT_SIZE = 33 };
BP_API void bp_token_format(const bp_token *token, char out[BP_TOKEN_TEXT_SIZE]);
BP_NODISCARD BP_API bp_err bp_token_parse(const char *text, bp_token *out);

#ifdef __cplusplus
}
#endif
#endif
