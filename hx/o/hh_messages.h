/* Written by bufpoolc from hh.yaml, do not edit: messages of schema hh.
 *
 * Owned structs (hh_X) hold a message's values; encode and decode convert between them and the wire. Views
 * (hh_X_view) read the wire in place and are valid as long as its bytes are. A value may lie at any alignment.
 * Members of views and names that end in an underscore are private. Any thread may call any function. Each message X has:
 *
 *   X_size       Bytes that X_encode will write. BP_ERR_BOUND: a count is above its capacity; BP_ERR_MALFORMED: an enum
 *                has no such value; BP_ERR_ARGUMENT: a pointer is NULL and its count is not zero.
 *   X_encode     Writes the message into capacity bytes at out; *length is what it took. Errors of X_size;
 *                BP_ERR_SPACE: capacity is too small. On error *length is 0.
 *   X_decode     Reads a value into *out. Rules are not checked; elements behind a count stay as they were; pointers
 *                point into value. BP_ERR_TRUNCATED, BP_ERR_MALFORMED, BP_ERR_BOUND: *out is then zero.
 *   X_view_init  Makes a view; accepts and refuses the same bytes as X_decode.
 *   X_validate   Checks the rules. BP_ERR_RULE: *field, unless field is NULL, names the first field that breaks one.
 *   X_check_hooks   Shows the values to the program's hooks; BP_ERR_RULE as for X_validate. A hook that must be set and is
 *                not accepts nothing.
 *   X_check_session   Whether the message may come now, after those that the session remembers; if so, remembers it too.
 *                BP_ERR_RULE: *field may not fall, and did; BP_ERR_ORDER: *field is the message that must come before.
 *                On error the session is what it was.
 *   X_print      Writes JSON, always NUL-terminated when size is not 0; returns the bytes that the whole text takes.
 *   X_get_f      The value of field f; its default or zero while X_has_f is false.
 *   X_f_count, X_f_at   Elements of field f; index < count is the caller's duty. */
#ifndef HH_MESSAGES_H
#define HH_MESSAGES_H

#include "hh_sizes.h"

#include "bufpool/base.h"
#include "bufpool/detail/bytes.h"

#if BP_ABI != 2 || HH_CONTRACT_HASH != 0x470e7bac39ef9845u
#error "generated files of different contracts or library versions are mixed: run bufpoolc again and recompile"
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* E */
typedef uint8_t hh_e;
#define HH_E_A ((hh_e)0u)
#define HH_E_B ((hh_e)1u)

/* The value's name in the contract, or NULL. */
static inline const char *hh_e_name(hh_e value) {
    switch (value) {
    case 0u: return "a";
    case 1u: return "b";
    default: return NULL;
    }
}

static inline bool hh_e_is_known_(hh_e value) {
    return value == 0u || value == 1u;
}

/* P */
typedef struct hh_p {
    uint8_t x;
    uint8_t y;
} hh_p;
#ifdef __cplusplus
#define HH_P_INIT {}
#else
#define HH_P_INIT {0}
#endif
/* Whether it lies in memory as on the wire: then many are copied as one. */
#define HH_P_IS_FLAT_ (!BPI_IS_BIG_ENDIAN && sizeof(hh_p) == 2 && offsetof(hh_p, x) == 0 && offsetof(hh_p, y) == 1)

/* Reads HH_P_SIZE bytes that were found to be well-formed. */
static inline void hh_p_load_(const uint8_t *at, hh_p *out) {
    out->x = bpi_load_u8(at + 0);
    out->y = bpi_load_u8(at + 1);
}

/* G */
typedef struct hh_g {
    uint8_t a;
    uint8_t b;
    uint8_t c;
} hh_g;
#ifdef __cplusplus
static inline hh_g hh_g_init_() {
    hh_g value = {};
    value.b = 3u;
    value.c = 3u;
    return value;
}
#define HH_G_INIT hh_g_init_()
#else
#define HH_G_INIT { .b = 3u, .c = 3u, }
#endif

/* Reads well-formed bytes of a writer whose values take stride bytes each: what an older one lacks is as in
 * HH_G_INIT, what a newer one has besides is passed over. */
static inline void hh_g_load_(const uint8_t *at, uint32_t stride, hh_g *out) {
    const hh_g absent = HH_G_INIT;
    if (stride < HH_G_SIZE) *out = absent;
    out->a = bpi_load_u8(at + 0);
    out->b = bpi_load_u8(at + 1);
    if (stride >= 3) {
        out->c = bpi_load_u8(at + 2);
    }
}

/* What the program decides: each is shown values that X_validate has accepted, on the thread that calls X_check_hooks,
 * and answers whether it accepts them too. */
typedef struct hh_hooks {
    /* b */
    bool (*hk)(uint64_t value, void *user); /* must be set */
    void *user; /* handed to each of them */
} hh_hooks;

/* What a connection remembers of the messages that came on it; zero is a new one. Members are private. */
typedef struct hh_session {
    struct {
        bool is_received;
    } a;
} hh_session;

/* A */
typedef struct hh_a {
    hh_p p;
    hh_g v[HH_A_V_CAP];
    uint16_t v_count;
    uint8_t x;
    char t[HH_A_T_CAP + 1];
    uint8_t t_length;
    bool has_o;
    uint8_t o;
    bool has_q;
    uint8_t q;
} hh_a;
#ifdef __cplusplus
static inline hh_a hh_a_init_() {
    hh_a value = {};
    memcpy(value.t, "ab", 2);
    value.t_length = 2;
    return value;
}
#define HH_A_INIT hh_a_init_()
#else
#define HH_A_INIT { .t = "ab", .t_length = 2, }
#endif

/* A, read where it lies. */
typedef struct hh_a_view {
    const uint8_t *value;
    uint32_t length, block_length;
    uint32_t v_at, v_count, v_stride;
} hh_a_view;

BP_NODISCARD bp_err hh_a_size(const hh_a *message, uint32_t *out);
BP_NODISCARD bp_err hh_a_encode(const hh_a *message, uint8_t *out, size_t capacity,
                                uint32_t *length);
BP_NODISCARD bp_err hh_a_decode(const uint8_t *value, size_t length, hh_a *out);
BP_NODISCARD bp_err hh_a_view_init(const uint8_t *value, size_t length, hh_a_view *out);
BP_NODISCARD bp_err hh_a_validate(const hh_a_view *view, const char **field);
BP_NODISCARD bp_err hh_a_check_hooks(const hh_a_view *view, const hh_hooks *hooks, const char **field);
BP_NODISCARD bp_err hh_a_check_session(hh_session *session, const hh_a_view *view, const char **field);
int hh_a_print(const hh_a_view *view, char *out, size_t size);

static inline hh_p hh_a_get_p(const hh_a_view *view) {
    hh_p out;
    hh_p_load_(view->value + 7, &out);
    return out;
}

static inline uint32_t hh_a_v_count(const hh_a_view *view) {
    return view->v_count;
}
static inline hh_g hh_a_v_at(const hh_a_view *view, uint32_t index) {
    BPI_ASSERT(index < hh_a_v_count(view));
    const uint8_t *const at = view->value + view->v_at + (size_t)index * view->v_stride;
    hh_g out;
    hh_g_load_(at, view->v_stride, &out);
    return out;
}

static inline uint8_t hh_a_get_x(const hh_a_view *view) {
    return bpi_load_u8(view->value + 9);
}

static inline bool hh_a_has_t(const hh_a_view *view) {
    return view->block_length >= 22;
}
static inline const uint8_t *hh_a_slot_t_(const hh_a_view *view) {
    static const uint8_t absent[10] = {0};
    return view->block_length >= 22 ? view->value + 12 : absent;
}
static inline bp_text hh_a_get_t(const hh_a_view *view) {
    if (!hh_a_has_t(view)) return bpi_text("ab", 2);
    return bpi_text((const char *)(hh_a_slot_t_(view) + 1), bpi_load_u8(hh_a_slot_t_(view)));
}

static inline bool hh_a_has_o(const hh_a_view *view) {
    return (bpi_load_u8(view->value + 6) & UINT8_C(0x1)) != 0;
}
static inline uint8_t hh_a_get_o(const hh_a_view *view) {
    return bpi_load_u8(view->value + 10);
}

static inline bool hh_a_has_q(const hh_a_view *view) {
    return (bpi_load_u8(view->value + 6) & UINT8_C(0x2)) != 0;
}
static inline uint8_t hh_a_get_q(const hh_a_view *view) {
    return bpi_load_u8(view->value + 11);
}

/* B */
typedef struct hh_b {
    uint8_t z[4];
    uint32_t k;
    hh_e e;
} hh_b;
#ifdef __cplusplus
#define HH_B_INIT {}
#else
#define HH_B_INIT {0}
#endif

/* B, read where it lies. */
typedef struct hh_b_view {
    const uint8_t *value;
    uint32_t length, block_length;
} hh_b_view;

BP_NODISCARD bp_err hh_b_size(const hh_b *message, uint32_t *out);
BP_NODISCARD bp_err hh_b_encode(const hh_b *message, uint8_t *out, size_t capacity,
                                uint32_t *length);
BP_NODISCARD bp_err hh_b_decode(const uint8_t *value, size_t length, hh_b *out);
BP_NODISCARD static inline bp_err hh_b_view_init(const uint8_t *value, size_t length, hh_b_view *out);
BP_NODISCARD bp_err hh_b_validate(const hh_b_view *view, const char **field);
BP_NODISCARD bp_err hh_b_check_session(hh_session *session, const hh_b_view *view, const char **field);
int hh_b_print(const hh_b_view *view, char *out, size_t size);

/* Whether the block's bytes are well-formed. */
static inline void hh_b_check_block_(const hh_b_view *view, bpi_flaws *flaws) {
    flaws->malformed |= !hh_e_is_known_(bpi_load_u8(view->value + 8));
}

/* Checks length and block. */
static inline bp_err hh_b_open_(const uint8_t *value, size_t length, hh_b_view *view,
                                bpi_flaws *flaws) {
    if (BP_UNLIKELY(length < HH_B_ACCEPT_MIN)) return BP_ERR_TRUNCATED;
    if (BP_UNLIKELY(length > HH_B_ACCEPT_MAX)) return BP_ERR_BOUND;
    const uint32_t block_length = (uint32_t)length;
    view->value = value;
    view->length = (uint32_t)length;
    view->block_length = block_length;
    hh_b_check_block_(view, flaws);
    return BP_OK;
}

static inline bp_err hh_b_view_init(const uint8_t *value, size_t length, hh_b_view *out) {
    bpi_flaws flaws = {0, 0};
    bp_err err = hh_b_open_(value, length, out, &flaws);
    if (BP_LIKELY(err == BP_OK)) err = bpi_flaws_err(&flaws);
    if (BP_UNLIKELY(err != BP_OK)) memset(out, 0, sizeof *out);
    return err;
}

static inline bp_bytes hh_b_get_z(const hh_b_view *view) {
    return bpi_bytes(view->value + 4, 4);
}

static inline uint32_t hh_b_get_k(const hh_b_view *view) {
    return bpi_load_u32(view->value + 0);
}

static inline hh_e hh_b_get_e(const hh_b_view *view) {
    return bpi_load_u8(view->value + 8);
}

#ifdef __cplusplus
}
#endif
#endif
