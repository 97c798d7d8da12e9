/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RUNTIME_TYPED_METHOD_H
#define LAM_RUNTIME_TYPED_METHOD_H

/*
 * lamina/runtime/typed_method.h: methods that are given values and give values, not bytes.
 *
 * Runtime, floor 6. For authors of modules who like to: module.h alone needs nothing of this. A
 * schema says what the arguments and the results are; lamina-schema makes their structs and codecs:
 *
 *     #include "calc.h"
 *     #include "lamina/runtime/typed_method.h"
 *
 *     static int add(struct lam_call *call, const struct calc_Operands *in, struct calc_Sum *out)
 *     {
 *         out->value = in->a + in->b;
 *         return 0;
 *     }
 *     LAM_TYPED_METHOD(add, msgpack, calc_Operands, calc_Sum)
 *
 *     #define METHODS(METHOD) METHOD(LAM_TYPED(add), "add", 0)
 *
 * The codecs are in an archive that becomes part of the module; it still asks nothing of its host:
 *
 *     cc -shared -fPIC -O2 -o calc.so calc.c $(pkg-config --cflags --libs lamina-codecs)
 *
 * What a call of such a method returns, beside what the function says:
 *
 *     -EBADMSG  the request is not what the schema says; the host's log has which field, and why
 *     -ENOMEM   the call's arena is too small for what the arguments point to
 *     -ENOSPC   the answer needs more room; the caller is told how much
 *     -EPROTO   the function left out a required part of its results
 *
 * The function is not called before the arguments are read; when it returns another number than 0,
 * that is what the call returns, and nothing is written. What @in points to lies in the call's
 * arena, and what @out points to may lie there, too: both are gone when the entry returns. A
 * function that returns LAM_LATER writes its own answer, by the codec.
 */

#include "lamina/codecs/codec.h"
#include "lamina/runtime/module.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The entry of @function, for the table of methods. */
#define LAM_TYPED(function) lam_typed_##function

/*
 * Make it. @codec is msgpack or flatbuffers; @In and @Out are tables of a schema, by the names that
 * they have in C. Each stands once at file scope, behind the function, which is
 *     int function(struct lam_call *call, const struct In *in, struct Out *out)
 * and lacks @in where it has no arguments, and @out where it has no results. Every field of @out
 * has its default when the function begins.
 */
#define LAM_TYPED_METHOD(function, codec, In, Out)                                                 \
    static int LAM_TYPED(function)(struct lam_call * call)                                         \
    {                                                                                              \
        struct In in;                                                                              \
        struct Out out;                                                                            \
        int rc = lam_typed_read(call, &In##_##codec, &in);                                         \
                                                                                                   \
        if (rc != 0)                                                                               \
            return rc;                                                                             \
        Out##_init(&out);                                                                          \
        rc = function(call, &in, &out);                                                            \
        return rc == 0 ? lam_typed_answer(call, &Out##_##codec, &out) : rc;                        \
    }

/* Without results: the answer is of 0 bytes. */
#define LAM_TYPED_METHOD_IN(function, codec, In)                                                   \
    static int LAM_TYPED(function)(struct lam_call * call)                                         \
    {                                                                                              \
        struct In in;                                                                              \
        int rc = lam_typed_read(call, &In##_##codec, &in);                                         \
                                                                                                   \
        return rc == 0 ? lam_typed_end(call, function(call, &in)) : rc;                            \
    }

/* Without arguments: the request is as lam_typed_read_nothing() says. */
#define LAM_TYPED_METHOD_OUT(function, codec, Out)                                                 \
    static int LAM_TYPED(function)(struct lam_call * call)                                         \
    {                                                                                              \
        struct Out out;                                                                            \
        int rc = lam_typed_read_nothing(call);                                                     \
                                                                                                   \
        if (rc != 0)                                                                               \
            return rc;                                                                             \
        Out##_init(&out);                                                                          \
        rc = function(call, &out);                                                                 \
        return rc == 0 ? lam_typed_answer(call, &Out##_##codec, &out) : rc;                        \
    }

/* Without either. */
#define LAM_TYPED_METHOD_NONE(function)                                                            \
    static int LAM_TYPED(function)(struct lam_call * call)                                         \
    {                                                                                              \
        int rc = lam_typed_read_nothing(call);                                                     \
                                                                                                   \
        return rc == 0 ? lam_typed_end(call, function(call)) : rc;                                 \
    }

/* ---- what they are made of; an entry may call these itself ---- */

/* Say in the host's log why a call cannot be served. Returns @rc. */
static inline int lam_typed_refuse(const struct lam_call *call, int rc, const char *reason)
{
    struct lam_log_field field;

    field.name = "reason";
    field.value = reason;
    call->host->log(call, LAM_LEVEL_WARN, "a typed method cannot be served", &field, 1);
    return rc;
}

/*
 * The request as a value of @codec, whose struct is at @value. What it points to is taken from the
 * call's arena. Returns 0, -EBADMSG or -ENOMEM as above.
 */
static inline int lam_typed_read(struct lam_call *call, const struct lam_codec *codec, void *value)
{
    const void *request = call->request_bytes != 0 ? call->request : "";
    struct lam_error error;
    struct lam_arena arena;
    void *aligned;
    int rc;

    if (((uintptr_t)request & (codec->payload_align - 1)) != 0) {
        aligned = lam_call_arena_take(&call->arena, call->request_bytes, codec->payload_align);
        if (aligned == NULL)
            return lam_typed_refuse(call, -ENOMEM, "the arena has no room for the arguments");
        memcpy(aligned, request, call->request_bytes);
        request = aligned;
    }
    lam_arena_init(
        &arena, call->arena.base + call->arena.used, call->arena.bytes - call->arena.used);
    rc = codec->decode(codec, request, call->request_bytes, value, &arena);
    call->arena.used += arena.used;
    if (rc == -ENOSPC)
        return lam_typed_refuse(call, -ENOMEM, "the arena has no room for the arguments");
    if (rc == 0)
        return 0;
    error.text[0] = '\0';
    (void)codec->verify(codec, request, call->request_bytes, &error);
    return lam_typed_refuse(call, -EBADMSG, error.text);
}

/*
 * A method without arguments takes a request of 0 bytes, and what callers of any language send when
 * they convert none: MessagePack's nil, an empty map, or an empty array. Returns 0 or -EBADMSG.
 */
static inline int lam_typed_read_nothing(const struct lam_call *call)
{
    uint8_t byte;

    if (call->request_bytes == 0)
        return 0;
    byte = *(const uint8_t *)call->request;
    if (call->request_bytes == 1 && (byte == 0xc0 || byte == 0x80 || byte == 0x90))
        return 0;
    return lam_typed_refuse(call, -EBADMSG, "the method has no arguments");
}

/* The value into the room; by way of the arena where the room is not aligned for the codec. */
static inline int lam_typed_encode(
    struct lam_call *call, const struct lam_codec *codec, const void *value, size_t *bytes)
{
    void *aligned;
    int rc;

    if (((uintptr_t)call->reply & (codec->payload_align - 1)) == 0)
        return codec->encode(codec, value, call->reply, call->reply_capacity, bytes);
    *bytes = codec->bound(codec, value);
    if (*bytes == SIZE_MAX)
        return -EINVAL;
    if (*bytes > call->reply_capacity)
        return -ENOSPC;
    aligned = lam_call_arena_take(&call->arena, *bytes, codec->payload_align);
    if (aligned == NULL)
        return -ENOMEM;
    rc = codec->encode(codec, value, aligned, *bytes, bytes);
    if (rc == 0)
        memcpy(call->reply, aligned, *bytes);
    return rc;
}

/* Answer with @value. Returns 0, -ENOSPC, -ENOMEM or -EPROTO as above. */
static inline int lam_typed_answer(
    struct lam_call *call, const struct lam_codec *codec, const void *value)
{
    size_t bytes = 0;
    int rc = lam_typed_encode(call, codec, value, &bytes);

    call->reply_bytes = 0;
    if (rc == 0)
        call->reply_bytes = bytes;
    else if (rc == -ENOSPC)
        call->reply_bytes = codec->bound(codec, value);
    else if (rc == -ENOMEM)
        return lam_typed_refuse(call, rc, "the arena has no room for the results");
    else
        return lam_typed_refuse(call, -EPROTO, "the results lack a required part");
    return rc;
}

/* The end of a method without results. Returns @rc. */
static inline int lam_typed_end(struct lam_call *call, int rc)
{
    if (rc == 0)
        call->reply_bytes = 0;
    return rc;
}

#ifdef __cplusplus
}
#endif

#endif
