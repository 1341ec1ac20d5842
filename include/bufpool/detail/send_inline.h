/* bufpool/detail/send_inline.h: the parts of sending that are compiled into its users.
 *
 * Not for users; its layout is ABI (BP_ABI). A connection begins with a pointer to its loop's stage. */
#ifndef BUFPOOL_DETAIL_SEND_INLINE_H
#define BUFPOOL_DETAIL_SEND_INLINE_H

#include "bufpool/detail/bytes.h"
#include "bufpool/frame.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The frame between bp_conn_frame_begin and bp_conn_frame_end; one at a time per loop. */
typedef struct bpi_begun {
    bp_conn *conn; /* NULL: none */
    uint8_t *data;
    bp_buf *buf; /* NULL: data is in the stage */
    uint32_t size_max;
    uint16_t type;
} bpi_begun;

/* The staging buffer of a loop. */
typedef struct bpi_stage {
    uint8_t *data;   /* BP_FRAME_WRITE_MAX bytes; NULL until first used */
    bp_conn *holder; /* to whom it is lent; NULL: nobody */
    uint32_t length; /* bytes of the holder's frames */
    uint32_t count;  /* frames that end in them */
    uint32_t limit;  /* length up to which frames are copied without a second look; 0: none */
    uint32_t first;  /* where the first whole frame begins: behind the end of one of which a part has left */
    bool is_stuck;
    bool may_yield; /* whoever took it has ended its round of sends: the next one who sends has it written out */
    bpi_begun begun;
} bpi_stage;

BP_NODISCARD BP_API bp_err bpi_frame_begin_slow(bp_conn *conn, uint16_t type, uint32_t size_max, uint8_t **value)
    __attribute__((cold, noinline));
BP_NODISCARD BP_API bp_err bpi_frame_end_slow(bp_conn *conn, uint32_t length) __attribute__((cold, noinline));

static inline bpi_stage *bpi_conn_stage(bp_conn *conn) { return *(bpi_stage **)(void *)conn; }

/* Whether a value of length bytes goes to the stage without a second look. */
static inline bool bpi_stage_fits(const bpi_stage *stage, const bp_conn *conn, uint32_t length) {
    return stage->holder == conn && stage->begun.conn == NULL && length <= BP_FRAME_STAGE_MAX &&
           stage->length + BP_FRAME_HEADER_SIZE + length <= stage->limit;
}

/* A frame was put behind what is staged. */
static inline void bpi_stage_add(bpi_stage *stage, uint32_t size) {
    stage->length += size;
    stage->count++;
}

static inline void bpi_stage_begin(bpi_stage *stage, bp_conn *conn, uint8_t *data, uint16_t type, uint32_t size_max) {
    stage->begun.conn = conn;
    stage->begun.data = data;
    stage->begun.size_max = size_max;
    stage->begun.type = type;
}

static inline bp_err bp_conn_frame_begin(bp_conn *conn, uint16_t type, uint32_t size_max, uint8_t **value) {
    bpi_stage *stage = bpi_conn_stage(conn);
    if (BP_UNLIKELY(!bpi_stage_fits(stage, conn, size_max) || type == 0)) {
        return bpi_frame_begin_slow(conn, type, size_max, value);
    }
    *value = stage->data + stage->length + BP_FRAME_HEADER_SIZE;
    bpi_stage_begin(stage, conn, *value, type, size_max);
    return BP_OK;
}

static inline bp_err bp_conn_frame_end(bp_conn *conn, uint32_t length) {
    bpi_stage *stage = bpi_conn_stage(conn);
    bpi_begun *begun = &stage->begun;
    if (BP_UNLIKELY(begun->conn != conn || length > begun->size_max || begun->buf != NULL)) {
        return bpi_frame_end_slow(conn, length);
    }
    bpi_store_head(begun->data - BP_FRAME_HEADER_SIZE, begun->type, length);
    begun->conn = NULL;
    bpi_stage_add(stage, BP_FRAME_HEADER_SIZE + length);
    return BP_OK;
}

#ifdef __cplusplus
}
#endif
#endif
