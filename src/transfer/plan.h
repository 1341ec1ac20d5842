/* transfer/plan.h: which part comes next. Knows no sockets, files or buffers: it is told what happened to which part,
 * and answers what to do. One plan is what a put sends, what a server has of it, or what a get asks for and hands on.
 *
 * Glossary
 *   part      numbered from 0; part n begins at n * part_size, all but the last one have part_size bytes
 *   window    parts first .. first + window - 1: nobody works on any other, so a put's holes are there, too, and all
 *             that is known of parts fits into three words
 *   todo      neither under way nor done
 *   under way somebody prepares it, sends it, waits for it or writes it
 *   done      it needs nothing more; first is the first part that is not done
 *   held      of a get: it is here and not handed on. Done there means handed on, so parts are done in order
 *
 * Invariants
 *   1 <= window <= 64;  part_size >= 1
 *   under_way, held and done have no bit in common, nor bits of parts that the object has not
 *   bits of under_way and held at or above window are 0; those of done are, unless an earlier life's window was wider
 *   bit 0 of done is 0
 *   every part below first is done;  first <= count
 *   count is as size says, once that is known; before that, as the largest object's, of 2^64 - 2 bytes */
#ifndef BUFPOOL_TRANSFER_PLAN_H
#define BUFPOOL_TRANSFER_PLAN_H

#include "bufpool/transfer.h"

typedef struct bpi_plan {
    uint64_t size; /* bytes of the object or range, or BP_SIZE_UNKNOWN */
    uint32_t part_size, window;
    uint64_t first;
    uint64_t under_way, held, done; /* bit i is part first + i */
} bpi_plan;

/* A plan of which nothing is done. size BP_SIZE_UNKNOWN: bpi_plan_end tells it later. part_size and window are checked
 * by whoever took them from a peer or a user. */
void bpi_plan_init(bpi_plan *plan, uint64_t size, uint32_t part_size, uint32_t window);

/* Parts of the object; UINT64_MAX while its size is not known. An object of 0 bytes has none. */
uint64_t bpi_plan_count(const bpi_plan *plan);

/* Bytes of a part; as long as the size is unknown, those of the largest object's, which is part_size for all but its
 * last one. 0: the object has no such part. */
uint32_t bpi_plan_length(const bpi_plan *plan, uint64_t part);

/* What an earlier life has done: as bp_store_call has it, in whichever window it worked. What the plan knew of parts is
 * forgotten: none is under way or held. False: the object has no such parts, and the plan stays as it was. */
BP_NODISCARD bool bpi_plan_restore(bpi_plan *plan, uint64_t first, uint64_t have);

/* The size is known now. False: parts are beyond it that are under way, held or done, or it was known to be another.
 * How long the last part was when it came is not the plan's to know: whoever has it compares. */
BP_NODISCARD bool bpi_plan_end(bpi_plan *plan, uint64_t size);

/* The first todo part in the window; BP_PART_NONE: there is none now. */
uint64_t bpi_plan_next(const bpi_plan *plan);

/* Transitions. False: the part is not where the transition begins (out of the window or the object, twice, ...), and
 * nothing happened: whoever said so lies, or is late. */
BP_NODISCARD bool bpi_plan_begin(bpi_plan *plan, uint64_t part);  /* todo -> under way */
BP_NODISCARD bool bpi_plan_finish(bpi_plan *plan, uint64_t part); /* under way -> done */
BP_NODISCARD bool bpi_plan_undo(bpi_plan *plan, uint64_t part);   /* under way -> todo */
BP_NODISCARD bool bpi_plan_hold(bpi_plan *plan, uint64_t part);   /* under way -> held */
BP_NODISCARD bool bpi_plan_unhold(bpi_plan *plan, uint64_t part);  /* held -> todo */
BP_NODISCARD bool bpi_plan_deliver(bpi_plan *plan, uint64_t part); /* held -> done: the part is `first` */

/* The connection is lost: what was under way is todo; what is held stays. */
void bpi_plan_lost(bpi_plan *plan);

uint32_t bpi_plan_under_way(const bpi_plan *plan);   /* how many are */
bool bpi_plan_is_held(const bpi_plan *plan, uint64_t part);
bool bpi_plan_is_done(const bpi_plan *plan);         /* the size is known, and all parts are done */
uint64_t bpi_plan_done_bytes(const bpi_plan *plan);  /* the lengths of all that are done */

#endif
