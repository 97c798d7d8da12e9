/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_CODECS_POD_H
#define LAM_CODECS_POD_H

/*
 * lamina/codecs/pod.h: a struct sent as it lies in memory, checked by the hash of its layout.
 *
 * Codecs, floor 1. For structs of fixed size without pointers, between processes of one machine.
 * The fields are listed once, and the codec made from the list; two programs whose lists differ in
 * a name, a kind, a place or the size have different hashes and are kept apart:
 *
 *     struct tick {
 *         uint64_t time_ns;
 *         uint32_t symbol;
 *         int32_t price;
 *     };
 *
 *     static const struct lam_pod_field tick_fields[] = {
 *         LAM_POD_FIELD(struct tick, time_ns),
 *         LAM_POD_FIELD(struct tick, symbol),
 *         LAM_POD_FIELD(struct tick, price),
 *     };
 *
 *     static const struct lam_pod_type tick_type = LAM_POD_TYPE(struct tick, "tick", tick_fields);
 *     static struct lam_pod tick;
 *
 *     lam_pod_init(&tick, &tick_type, &error);
 *     ... &tick.codec ...
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lamina/codecs/codec.h"
#include "lamina/codecs/schema.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LAM_POD_FIELD_COUNT_MAX 64
#define LAM_POD_SCHEMA_BYTES    4096

struct lam_pod_field {
    const char *name; /* no blanks; kept */
    uint8_t kind;     /* enum lam_kind, a scalar */
    uint32_t offset;  /* in the struct */
    uint32_t bytes;   /* of the field: of one scalar or of an array of them */
};

/* A codec and what it stands on. Stays where it is. Private but for @codec. */
struct lam_pod {
    struct lam_codec codec;
    struct lam_type type;
    struct lam_field fields[LAM_POD_FIELD_COUNT_MAX];
    struct lam_root root;
    char schema[LAM_POD_SCHEMA_BYTES];
};

/* What lam_pod_init() is told of a struct. */
struct lam_pod_type {
    const char *name; /* no blanks; kept */
    size_t bytes;     /* sizeof the struct */
    size_t align;     /* its alignment */
    const struct lam_pod_field *fields;
    size_t field_count; /* from 1 to LAM_POD_FIELD_COUNT_MAX */
};

#define LAM_POD_TYPE(type, name, fields)                                                           \
    {                                                                                              \
        (name), sizeof(type), LAM_ALIGNOF(type), (fields), sizeof(fields) / sizeof((fields)[0])    \
    }

/*
 * Make the codec @pod->codec of the struct that @type describes, which is borrowed for the call.
 * The fields have to be listed in the order of their places and to cover every byte, so that no
 * padding with old contents of the stack is ever sent: name it, as an array of uint8_t.
 *
 * @pod is kept by whoever uses the codec, and may be static and shared by threads afterwards.
 *
 * Returns 0, or -EINVAL and in @error (may be NULL) which field and why.
 */
int lam_pod_init(struct lam_pod *pod, const struct lam_pod_type *type, struct lam_error *error);

/*
 * One entry of the list: @member of @type, which holds scalars of @kind (enum lam_kind).
 */
#define LAM_POD_FIELD_OF(type, member, kind)                                                       \
    {                                                                                              \
#member, (kind), (uint32_t)offsetof(type, member), (uint32_t)sizeof(((type *)0)->member)   \
    }

/*
 * The same with the kind found by the compiler; C only. A member that is neither a scalar nor an
 * array of them does not compile.
 */
#ifndef __cplusplus
#define LAM_POD_FIELD(type, member)                                                                \
    LAM_POD_FIELD_OF(type, member, LAM_POD_KIND(((type *)0)->member))
#define LAM_POD_KIND(expression)                                                                   \
    _Generic((expression), LAM_POD_KIND_1(bool, LAM_KIND_BOOL), LAM_POD_KIND_1(char, LAM_KIND_U8), \
        LAM_POD_KIND_1(signed char, LAM_KIND_I8), LAM_POD_KIND_1(unsigned char, LAM_KIND_U8),      \
        LAM_POD_KIND_1(short, LAM_KIND_I16), LAM_POD_KIND_1(unsigned short, LAM_KIND_U16),         \
        LAM_POD_KIND_1(int, LAM_KIND_I32), LAM_POD_KIND_1(unsigned, LAM_KIND_U32),                 \
        LAM_POD_KIND_1(long, sizeof(long) == 8 ? LAM_KIND_I64 : LAM_KIND_I32),                     \
        LAM_POD_KIND_1(unsigned long, sizeof(long) == 8 ? LAM_KIND_U64 : LAM_KIND_U32),            \
        LAM_POD_KIND_1(long long, LAM_KIND_I64), LAM_POD_KIND_1(unsigned long long, LAM_KIND_U64), \
        LAM_POD_KIND_1(float, LAM_KIND_F32), LAM_POD_KIND_1(double, LAM_KIND_F64))
#define LAM_POD_KIND_1(type, kind)                                                                 \
    type:                                                                                          \
    (kind), type * : (kind)
#endif

#ifdef __cplusplus
}
#endif

#endif
