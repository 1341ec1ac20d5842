#define _GNU_SOURCE
#include "tests/support/posters.h"

#include <sched.h>
#include <string.h>

bp_buf *bpt_numbered(bp_pool *pool, uint32_t ix, uint32_t n) {
    bp_buf *buf = NULL;
    bpt_must(bp_pool_acquire(pool, BPT_POST_LENGTH, &buf) == BP_OK);
    bp_buf_set_length(buf, BPT_POST_LENGTH);
    bp_buf_set_type(buf, BPT_SMALL_TYPE);
    memset(bp_buf_data(buf), 0, BPT_POST_LENGTH);
    memcpy(bp_buf_data(buf), &ix, sizeof ix);
    memcpy(bp_buf_data(buf) + sizeof ix, &n, sizeof n);
    return buf;
}

static bp_err post(const bpt_poster *self, bp_buf **buf) {
    if (self->waits) return bp_conn_post_wait_take(self->conn, buf, UINT32_MAX);
    bp_err err = BP_ERR_QUEUE_FULL;
    while (err == BP_ERR_QUEUE_FULL) {
        err = bp_conn_post_take(self->conn, buf);
        if (err == BP_ERR_QUEUE_FULL) sched_yield();
    }
    return err;
}

static void *post_all(void *user) {
    bpt_poster *self = user;
    while (self->posted < self->count) {
        bp_buf *buf = bpt_numbered(self->pool, self->ix, self->posted);
        self->err = post(self, &buf);
        bpt_must((self->err == BP_OK) == (buf == NULL));
        bp_buf_release(buf);
        if (self->err != BP_OK) break;
        self->posted++;
    }
    bp_conn_release_take(&self->conn);
    bp_pool_release_take(&self->pool);
    return NULL;
}

void bpt_posters_start(bpt_poster posters[], uint32_t count, bp_conn *conn, uint32_t frames) {
    for (uint32_t i = 0; i < count; i++) {
        posters[i] = (bpt_poster){.ix = i, .count = frames, .waits = i % 2 == 0};
        posters[i].conn = bp_conn_retain(conn);
        ck_assert_ptr_eq(posters[i].conn, conn);
        posters[i].pool = bp_pool_retain(bp_conn_pool(conn));
    }
    for (uint32_t i = 0; i < count; i++) {
        ck_assert_int_eq(pthread_create(&posters[i].thread, NULL, post_all, &posters[i]), 0);
    }
}

static bp_err see(bpt_side *side, bp_conn *conn, const bp_frame *frame) {
    bpt_poster *posters = side->data;
    uint32_t ix, n;
    (void)conn;
    memcpy(&ix, frame->value, sizeof ix);
    memcpy(&n, frame->value + sizeof ix, sizeof n);
    bpt_must(ix < BPT_POSTERS && n == posters[ix].seen);
    posters[ix].seen++;
    return BP_OK;
}

bp_conn *bpt_posters_rig(bpt_rig *rig, int way, bpt_poster posters[]) {
    bpt_rig_init(rig);
    rig->server.on_frame = see;
    rig->server.data = posters;
    const bp_server_config server = bpt_rig_server_config(rig, way);
    bp_client_config client = bpt_rig_client_config(rig, 0, way);
    client.conn.send_queue_bytes = BPT_POST_QUEUE;
    bpt_rig_listen(rig, &server, way);
    bpt_rig_connect(rig, 0, &client);
    bpt_rig_until(rig, rig->server.opens == 1 && rig->clients[0].opens == 1);
    return rig->clients[0].conn;
}

uint32_t bpt_post_until_full(bp_conn *conn, uint32_t first) {
    for (uint32_t n = first;; n++) {
        bp_buf *buf = bpt_numbered(bp_conn_pool(conn), 0, n);
        const bp_err err = bp_conn_post_take(conn, &buf);
        if (err == BP_OK) continue;
        bpt_err(err, BP_ERR_QUEUE_FULL);
        ck_assert_ptr_nonnull(buf);
        bp_buf_release(buf);
        return n - first;
    }
}
