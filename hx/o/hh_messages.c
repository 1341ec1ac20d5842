/* Written by bufpoolc from hh.yaml, do not edit: codecs of schema hh. */
#include "hh_messages.h"

#include "bufpool/detail/print.h"

#include <assert.h>
#include <string.h>

#if BP_ABI != 2 || HH_CONTRACT_HASH != 0x470e7bac39ef9845u
#error "generated files of different contracts or library versions are mixed: run bufpoolc again and recompile"
#endif

/* A rule is broken: says where. */
BPI_UNUSED static inline bp_err broken(const char *name, const char **field) {
    if (field != NULL) *field = name;
    return BP_ERR_RULE;
}

/* A message is missing: says which. */
BPI_UNUSED static inline bp_err too_early(const char *missing, const char **field) {
    if (field != NULL) *field = missing;
    return BP_ERR_ORDER;
}

BPI_UNUSED static bool hk_accepts(const hh_hooks *hooks, uint64_t value) {
    return hooks != NULL && hooks->hk != NULL && hooks->hk(value, hooks->user);
}

BPI_UNUSED static void e_print(bpi_printer *printer, hh_e value) {
    const char *const name = hh_e_name(value);
    if (name != NULL) bpi_print_text(printer, bpi_text(name, strlen(name)));
    if (name == NULL) bpi_print_unsigned(printer, value);
}

/* ---- P */

BPI_UNUSED static inline void p_store(uint8_t *at, const hh_p *in) {
    bpi_store_u8(at + 0, in->x);
    bpi_store_u8(at + 1, in->y);
}

BPI_UNUSED static void p_print(bpi_printer *printer, const hh_p *in) {
    bpi_print_raw(printer, "{");
    bpi_print_name(printer, "x");
    bpi_print_unsigned(printer, in->x);
    bpi_print_name(printer, "y");
    bpi_print_unsigned(printer, in->y);
    bpi_print_raw(printer, "}");
}

/* ---- G */

BPI_UNUSED static inline void g_store(uint8_t *at, const hh_g *in) {
    bpi_store_u8(at + 0, in->a);
    bpi_store_u8(at + 1, in->b);
    bpi_store_u8(at + 2, in->c);
}

/* Whether some writer's values may take that many bytes each: those of an accepted version, or of a newer one. */
BPI_UNUSED static inline bool g_is_stride(uint32_t stride) {
    return stride == 2 || stride >= 3;
}

BPI_UNUSED static void g_print(bpi_printer *printer, const hh_g *in) {
    bpi_print_raw(printer, "{");
    bpi_print_name(printer, "a");
    bpi_print_unsigned(printer, in->a);
    bpi_print_name(printer, "b");
    bpi_print_unsigned(printer, in->b);
    bpi_print_name(printer, "c");
    bpi_print_unsigned(printer, in->c);
    bpi_print_raw(printer, "}");
}

/* ---- A */

static_assert(HH_A_MAX <= HH_A_CLASS, "A fits its size class");
static_assert(HH_A_MAX == BPI_ALIGNED(22, 1) + HH_A_V_CAP * 3,
              "A is as large as its constants say when it is full");

/* What the message takes, and whether it can be encoded. */
static inline bp_err a_measure(const hh_a *in, uint32_t *out) {
    bpi_flaws limits = {0, 0};
    bpi_flaws *const flaws = &limits;
    uint32_t size = HH_A_BLOCK;
    *out = 0;
    const uint32_t v_count = in->v_count;
    if (BP_UNLIKELY(v_count > HH_A_V_CAP)) return BP_ERR_BOUND;
    size += v_count * 3;
    (void)bpi_bounded(in->t_length, HH_A_T_CAP, flaws);
    const bp_err err = bpi_flaws_err(flaws);
    if (BP_UNLIKELY(err != BP_OK)) return err;
    *out = size;
    return BP_OK;
}

static inline void a_store_block(uint8_t *at, const hh_a *in) {
    bpi_store_u16(at + 0, HH_A_BLOCK);
    bpi_store_u8(at + 6, (uint8_t)((in->has_o ? UINT8_C(0x1) : 0) | (in->has_q ? UINT8_C(0x2) : 0)));
    bpi_store_u16(at + 2, in->v_count);
    bpi_store_u16(at + 4, 3);
    p_store(at + 7, &in->p);
    bpi_store_u8(at + 9, in->x);
    if (in->has_o) {
        bpi_store_u8(at + 10, in->o);
    } else {
        memset(at + 10, 0, 1);
    }
    if (in->has_q) {
        bpi_store_u8(at + 11, in->q);
    } else {
        memset(at + 11, 0, 1);
    }
    bpi_store_u8(at + 12, in->t_length);
    memset(at + 13, 0, 9);
    bpi_copy(at + 13, (const uint8_t *)in->t, in->t_length);
}

static inline void a_store_tail(uint8_t *out, const hh_a *in) {
    uint32_t end = HH_A_BLOCK;
    {
        const uint32_t count = in->v_count;
        for (uint32_t i = 0; i < count; i++) g_store(out + end + (size_t)i * 3, &in->v[i]);
    }
}

bp_err hh_a_size(const hh_a *message, uint32_t *out) {
    return a_measure(message, out);
}

bp_err hh_a_encode(const hh_a *message, uint8_t *out, size_t capacity,
                   uint32_t *length) {
    uint32_t size;
    const bp_err err = a_measure(message, &size);
    *length = 0;
    if (BP_UNLIKELY(err != BP_OK)) return err;
    if (BP_UNLIKELY(size > capacity)) return BP_ERR_SPACE;
    a_store_block(out, message);
    a_store_tail(out, message);
    *length = size;
    return BP_OK;
}

/* Whether the block's bytes are well-formed. */
static inline void hh_a_check_block_(const hh_a_view *view, bpi_flaws *flaws) {
    const uint8_t present_1 = bpi_load_u8(view->value + 6);
    flaws->malformed |= present_1 & UINT8_C(0xfc);
    if ((present_1 & UINT8_C(0x1)) == 0) {
        flaws->malformed |= !bpi_is_zero(view->value + 10, 1);
    }
    if ((present_1 & UINT8_C(0x2)) == 0) {
        flaws->malformed |= !bpi_is_zero(view->value + 11, 1);
    }
    if (view->block_length >= 22) {
        {
            const uint32_t used = bpi_bounded(bpi_load_u8(view->value + 12), HH_A_T_CAP, flaws);
            flaws->malformed |= bpi_slack(view->value + 13, (size_t)used * 1, 9);
        }
    }
}

/* Finds the block and the tails; checks everything but the elements of vectors. */
static inline bp_err hh_a_open_(const uint8_t *value, size_t length, hh_a_view *view,
                                bpi_flaws *flaws) {
    if (BP_UNLIKELY(length < HH_A_ACCEPT_MIN)) return BP_ERR_TRUNCATED;
    if (BP_UNLIKELY(length > HH_A_ACCEPT_MAX)) return BP_ERR_BOUND;
    const uint32_t block_length = bpi_load_u16(value + 0);
    if (BP_UNLIKELY(block_length > length)) return BP_ERR_TRUNCATED;
    if (BP_UNLIKELY(block_length < HH_A_BLOCK && block_length != 12)) return BP_ERR_MALFORMED;
    view->value = value;
    view->length = (uint32_t)length;
    view->block_length = block_length;
    hh_a_check_block_(view, flaws);
    uint32_t end = block_length;
    view->v_count = bpi_load_u16(value + 2);
    view->v_stride = bpi_load_u16(value + 4);
    if (BP_UNLIKELY(view->v_count > HH_A_V_CAP)) return BP_ERR_BOUND;
    if (BP_UNLIKELY(!g_is_stride(view->v_stride))) return BP_ERR_MALFORMED;
    const uint64_t v_bytes = (uint64_t)view->v_count * view->v_stride;
    if (!bpi_tail_find(value, view->length, 1, v_bytes, &end, &view->v_at, flaws)) {
        return BP_ERR_TRUNCATED;
    }
    if (BP_UNLIKELY(end != length && block_length <= HH_A_BLOCK)) return BP_ERR_MALFORMED;
    return BP_OK;
}

bp_err hh_a_view_init(const uint8_t *value, size_t length, hh_a_view *out) {
    bpi_flaws flaws = {0, 0};
    bp_err err = hh_a_open_(value, length, out, &flaws);
    if (BP_LIKELY(err == BP_OK)) err = bpi_flaws_err(&flaws);
    if (BP_UNLIKELY(err != BP_OK)) memset(out, 0, sizeof *out);
    return err;
}

bp_err hh_a_decode(const uint8_t *value, size_t length, hh_a *out) {
    hh_a_view found;
    const hh_a_view *const view = &found;
    bpi_flaws flaws = {0, 0};
    bp_err err = hh_a_open_(value, length, &found, &flaws);
    if (BP_UNLIKELY(err != BP_OK)) goto fail;
    hh_p_load_(view->value + 7, &out->p);
    out->v_count = (uint16_t)view->v_count;
    for (uint32_t i = 0; i < view->v_count; i++) {
        const uint8_t *const item = value + view->v_at + (size_t)i * view->v_stride;
        hh_g_load_(item, view->v_stride, &out->v[i]);
    }
    out->x = hh_a_get_x(view);
    {
        const bp_text text = hh_a_get_t(view);
        const uint32_t used = bpi_clamped((uint32_t)text.length, HH_A_T_CAP);
        bpi_copy((uint8_t *)out->t, (const uint8_t *)text.data, used);
        out->t[used] = '\0';
        out->t_length = (uint8_t)used;
    }
    out->has_o = hh_a_has_o(view);
    out->o = hh_a_get_o(view);
    out->has_q = hh_a_has_q(view);
    out->q = hh_a_get_q(view);
    err = bpi_flaws_err(&flaws);
    if (BP_LIKELY(err == BP_OK)) return BP_OK;
fail:
    memset(out, 0, sizeof *out);
    return err;
}

bp_err hh_a_validate(const hh_a_view *view, const char **field) {
    (void)view;
    {
        const uint8_t value = hh_a_get_x(view);
        if (value > 7u) return broken("x", field);
    }
    if (hh_a_has_t(view)) {
        const bp_text text = hh_a_get_t(view);
        if (!bpi_utf8_is_valid((const uint8_t *)text.data, text.length)) return broken("t", field);
    }
    if (field != NULL) *field = NULL;
    return BP_OK;
}

bp_err hh_a_check_hooks(const hh_a_view *view, const hh_hooks *hooks, const char **field) {
    if (!hk_accepts(hooks, hh_a_get_x(view))) return broken("x", field);
    if (field != NULL) *field = NULL;
    return BP_OK;
}

bp_err hh_a_check_session(hh_session *session, const hh_a_view *view, const char **field) {
    (void)view;
    session->a.is_received = true;
    if (field != NULL) *field = NULL;
    return BP_OK;
}

int hh_a_print(const hh_a_view *view, char *out, size_t size) {
    bpi_printer state = {out, size, 0, '\0'};
    bpi_printer *const printer = &state;
    (void)view;
    bpi_print_raw(printer, "{");
    bpi_print_name(printer, "p");
    {
        const hh_p item = hh_a_get_p(view);
        p_print(printer, &item);
    }
    bpi_print_name(printer, "v");
    bpi_print_raw(printer, "[");
    for (uint32_t i = 0; i < hh_a_v_count(view); i++) {
        if (i != 0) bpi_print_raw(printer, ",");
        const hh_g item = hh_a_v_at(view, i);
        g_print(printer, &item);
    }
    bpi_print_raw(printer, "]");
    bpi_print_name(printer, "x");
    bpi_print_unsigned(printer, hh_a_get_x(view));
    if (hh_a_has_t(view)) {
        bpi_print_name(printer, "t");
        bpi_print_text(printer, hh_a_get_t(view));
    }
    if (hh_a_has_o(view)) {
        bpi_print_name(printer, "o");
        bpi_print_unsigned(printer, hh_a_get_o(view));
    }
    if (hh_a_has_q(view)) {
        bpi_print_name(printer, "q");
        bpi_print_unsigned(printer, hh_a_get_q(view));
    }
    bpi_print_raw(printer, "}");
    return bpi_print_end(printer);
}

/* ---- B */

static_assert(HH_B_MAX <= HH_B_CLASS, "B fits its size class");
static_assert(HH_B_MAX == 9,
              "B is as large as its constants say when it is full");

/* What the message takes, and whether it can be encoded. */
static inline bp_err b_measure(const hh_b *in, uint32_t *out) {
    bpi_flaws limits = {0, 0};
    bpi_flaws *const flaws = &limits;
    uint32_t size = HH_B_BLOCK;
    *out = 0;
    flaws->malformed |= !hh_e_is_known_(in->e);
    const bp_err err = bpi_flaws_err(flaws);
    if (BP_UNLIKELY(err != BP_OK)) return err;
    *out = size;
    return BP_OK;
}

static inline void b_store_block(uint8_t *at, const hh_b *in) {
    bpi_store_u32(at + 0, in->k);
    memcpy(at + 4, in->z, 4);
    bpi_store_u8(at + 8, in->e);
}

bp_err hh_b_size(const hh_b *message, uint32_t *out) {
    return b_measure(message, out);
}

bp_err hh_b_encode(const hh_b *message, uint8_t *out, size_t capacity,
                   uint32_t *length) {
    uint32_t size;
    const bp_err err = b_measure(message, &size);
    *length = 0;
    if (BP_UNLIKELY(err != BP_OK)) return err;
    if (BP_UNLIKELY(size > capacity)) return BP_ERR_SPACE;
    b_store_block(out, message);
    *length = size;
    return BP_OK;
}

bp_err hh_b_decode(const uint8_t *value, size_t length, hh_b *out) {
    hh_b_view found;
    const hh_b_view *const view = &found;
    bpi_flaws flaws = {0, 0};
    bp_err err = hh_b_open_(value, length, &found, &flaws);
    if (BP_UNLIKELY(err != BP_OK)) goto fail;
    memcpy(out->z, view->value + 4, 4);
    out->k = hh_b_get_k(view);
    out->e = hh_b_get_e(view);
    err = bpi_flaws_err(&flaws);
    if (BP_LIKELY(err == BP_OK)) return BP_OK;
fail:
    memset(out, 0, sizeof *out);
    return err;
}

bp_err hh_b_validate(const hh_b_view *view, const char **field) {
    (void)view;
    if (field != NULL) *field = NULL;
    return BP_OK;
}

bp_err hh_b_check_session(hh_session *session, const hh_b_view *view, const char **field) {
    (void)view;
    if (!session->a.is_received) return too_early("A", field);
    if (field != NULL) *field = NULL;
    return BP_OK;
}

int hh_b_print(const hh_b_view *view, char *out, size_t size) {
    bpi_printer state = {out, size, 0, '\0'};
    bpi_printer *const printer = &state;
    (void)view;
    bpi_print_raw(printer, "{");
    bpi_print_name(printer, "z");
    bpi_print_bytes(printer, hh_b_get_z(view));
    bpi_print_name(printer, "k");
    bpi_print_unsigned(printer, hh_b_get_k(view));
    bpi_print_name(printer, "e");
    e_print(printer, hh_b_get_e(view));
    bpi_print_raw(printer, "}");
    return bpi_print_end(printer);
}
