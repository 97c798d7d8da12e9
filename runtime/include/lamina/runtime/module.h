/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RUNTIME_MODULE_H
#define LAM_RUNTIME_MODULE_H

/*
 * lamina/runtime/module.h: the one header that the author of a module includes.
 *
 * Runtime, floor 6. A module is a file with functions and one table:
 *
 *     static int echo(struct lam_call *call)
 *     {
 *         return lam_call_answer(call, call->request, call->request_bytes);
 *     }
 *
 *     #define METHODS(METHOD) METHOD(echo, "echo", LAM_METHOD_IDEMPOTENT)
 *     LAM_MODULE("text", LAM_VERSION(1, 0, 0), METHODS, .features = LAM_MODULE_CONCURRENT);
 *
 * built by one line, and nothing of Lamina is linked to it:
 *
 *     cc -shared -fPIC -O2 -o text.so text.c
 *
 * All functions here but lam_later_answer() are for the thread that is inside an entry, with the
 * call that it was given.
 */

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "lamina/runtime/abi.h"
#include "lamina/runtime/method_id.h"

#ifdef __cplusplus
extern "C" {
#define LAM_MODULE_C_LINKAGE extern "C"
/* g++ warns of fields that are not named, where C has them zero without a word. */
#define LAM_MODULE_QUIET                                                                           \
    _Pragma("GCC diagnostic push")                                                                 \
        _Pragma("GCC diagnostic ignored \"-Wmissing-field-initializers\"")
#define LAM_MODULE_LOUD _Pragma("GCC diagnostic pop")
#else
#define LAM_MODULE_C_LINKAGE extern
#define LAM_MODULE_QUIET
#define LAM_MODULE_LOUD
#endif

/* ---- the table ---- */

/* clang-format off */
#define LAM_VERSION(major, minor, patch) {(major), (minor), (patch), 0}
/* clang-format on */

#define LAM_MODULE_METHOD(function, name, flags) {name, LAM_METHOD_ID(name), flags, function},

/*
 * Two labels of one name do not assemble: "symbol .Llam_two_methods_have_the_id_... is already
 * defined". An optimising compiler knows the ids in time; a host refuses such a module anyway.
 */
#if defined(__OPTIMIZE__) || defined(__clang__)
#define LAM_MODULE_METHOD_LABEL(function, name, flags)                                             \
    __asm__(".pushsection .lamina.ids,\"\"\n"                                                      \
            ".Llam_two_methods_have_the_id_%c0_%c1:\n.byte 0\n.popsection"                         \
            :                                                                                      \
            : "i"((int)(LAM_METHOD_ID(name) >> 16)), "i"((int)(LAM_METHOD_ID(name) & 0xffffU)));
#else
#define LAM_MODULE_METHOD_LABEL(function, name, flags)
#endif

/*
 * Once in one source of the module: its name, LAM_VERSION(), its methods, and as designated fields
 * of struct lam_descriptor whatever else there is, in the order of the struct (.features = 0 where
 * nothing is). In C++ that needs C++20.
 */
#define LAM_MODULE(module_name, module_version, METHODS, ...)                                      \
    static const struct lam_method lam_module_methods[] = {METHODS(LAM_MODULE_METHOD)};            \
    static __attribute__((used, noinline)) void lam_module_check_ids(void){                        \
        METHODS(LAM_MODULE_METHOD_LABEL)} LAM_MODULE_C_LINKAGE                                     \
        __attribute__((visibility("default"))) const struct lam_descriptor lam_module_descriptor;  \
    LAM_MODULE_QUIET                                                                               \
    const struct lam_descriptor lam_module_descriptor = {.bytes = sizeof(struct lam_descriptor),   \
        .abi = LAM_ABI_VERSION,                                                                    \
        .method_count = sizeof(lam_module_methods) / sizeof(lam_module_methods[0]),                \
        .method_bytes = sizeof(struct lam_method),                                                 \
        .name = module_name,                                                                       \
        .version = module_version,                                                                 \
        .methods = lam_module_methods,                                                             \
        .dependency_bytes = sizeof(struct lam_dependency),                                         \
        __VA_ARGS__};                                                                              \
    LAM_MODULE_LOUD                                                                                \
    LAM_MODULE_C_LINKAGE const struct lam_descriptor lam_module_descriptor

/* ---- what an entry does with its call ---- */

/*
 * The place of an answer of @bytes, to be written by the module: *@reply. Says how long the answer
 * is in either case.
 *
 * Returns 0, or -ENOSPC, to be returned by the entry: the caller then knows what it needs.
 */
static inline int lam_call_reserve(struct lam_call *call, uint64_t bytes, void **reply)
{
    call->reply_bytes = bytes;
    *reply = call->reply;
    return bytes <= call->reply_capacity ? 0 : -ENOSPC;
}

/* One of the calls that a batch entry was given. */
static inline struct lam_call *lam_batch_at(struct lam_call *calls, uint32_t index)
{
    return (struct lam_call *)((void *)((char *)calls + (uint64_t)index * calls->bytes));
}

/* Answer with @bytes at @data. Returns as lam_call_reserve(). */
static inline int lam_call_answer(struct lam_call *call, const void *data, uint64_t bytes)
{
    void *reply;
    int rc = lam_call_reserve(call, bytes, &reply);

    if (rc == 0 && bytes != 0)
        memcpy(reply, data, bytes);
    return rc;
}

/*
 * @bytes of memory for this call, aligned to @align (a power of two, at most 64). With old bytes in
 * it. Returns NULL where the arena's bound is reached.
 */
static inline void *lam_call_arena_take(
    struct lam_call_arena *arena, uint64_t bytes, uint64_t align)
{
    uint64_t from = (arena->used + align - 1) & ~(align - 1);

    if (from > arena->bytes || bytes > arena->bytes - from)
        return NULL;
    arena->used = from + bytes;
    return arena->base + from;
}

/* Nanoseconds until the deadline, 0 when it is over, UINT64_MAX without one. */
static inline uint64_t lam_call_remaining_ns(const struct lam_call *call)
{
    uint64_t now_ns;

    if (call->deadline_ns == UINT64_MAX)
        return UINT64_MAX;
    now_ns = call->host->now_ns();
    return now_ns < call->deadline_ns ? call->deadline_ns - now_ns : 0;
}

static inline void lam_call_log(const struct lam_call *call, enum lam_level level, const char *text)
{
    call->host->log(call, level, text, NULL, 0);
}

/* @delta more in the counter @name. As lam_host.metric. */
static inline int lam_call_count(const struct lam_call *call, const char *name, uint64_t delta)
{
    return call->host->metric(call, LAM_METRIC_COUNTER, name, delta);
}

/* The gauge @name is at @value now. As lam_host.metric. */
static inline int lam_call_gauge(const struct lam_call *call, const char *name, uint64_t value)
{
    return call->host->metric(call, LAM_METRIC_GAUGE, name, value);
}

/* One more @value, of a duration or a size, in the histogram @name. As lam_host.metric. */
static inline int lam_call_measure(const struct lam_call *call, const char *name, uint64_t value)
{
    return call->host->metric(call, LAM_METRIC_HISTOGRAM, name, value);
}

/* A place for an answer that comes later. As lam_host.later; NULL too where the host is older. */
static inline struct lam_later *lam_call_later(struct lam_call *call)
{
    if (call->host->bytes < offsetof(struct lam_host, answer) + sizeof(call->host->answer))
        return NULL;
    return call->host->later(call);
}

/* Answer there. As lam_host.answer: any thread. */
static inline int lam_later_answer(
    struct lam_later *later, int status, const void *data, uint64_t bytes)
{
    return later->host->answer(later, status, data, bytes);
}

/*
 * Call another module, or this one again. *@reply is the caller's, with data and capacity set.
 *
 * Returns as lam_host.call.
 */
static inline int lam_call_module(struct lam_call *call, const char *module, uint32_t method,
    const void *request, uint64_t request_bytes, struct lam_module_reply *reply)
{
    return call->host->call(call, module, method, request, request_bytes, reply);
}

#ifdef __cplusplus
}
#endif

#endif
