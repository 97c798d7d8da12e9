/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RUNTIME_ABI_H
#define LAM_RUNTIME_ABI_H

/*
 * lamina/runtime/abi.h: what a module and its host share: the layouts, and nothing else.
 *
 * Runtime, floor 6. A module is a shared object with one symbol, LAM_ABI_SYMBOL: a constant
 * description of itself. Every entry of it takes a struct lam_call, in which everything that the
 * host lends comes, the host's own functions included: a module links nothing of Lamina.
 *
 * Structs begin with their size as they were built, and only grow at their end. A host takes a
 * description of its own LAM_ABI_VERSION that is at least as large as that version's first; what a
 * shorter one lacks is zero. runtime/ABI.md is the document: threads, ownership, order of calls.
 *
 * Module authors include module.h, which brings this.
 */

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Changes when a host could not understand an older or newer description. */
#define LAM_ABI_VERSION 1

/* The name that a host looks for: a const struct lam_descriptor. */
#define LAM_ABI_SYMBOL "lam_module_descriptor"

#define LAM_METHODS_MAX      256
#define LAM_DEPENDENCIES_MAX 64
#define LAM_METRICS_MAX      64   /* of a module */
#define LAM_LATER_MAX        4096 /* answers to come, in a process */
#define LAM_NAME_BYTES_MAX   64   /* of modules, methods and metrics, with the terminator */

struct lam_version {
    uint16_t major, minor, patch;
    uint16_t reserved; /* 0 */
};

/* Inherited by nested calls, with a span of their own. All zero: nobody traces. */
struct lam_trace {
    uint64_t id[2];
    uint64_t span;
    uint64_t parent;
};

/* Memory of the host for one call: gone when the call ends. lam_call_arena_take() of module.h. */
struct lam_call_arena {
    uint8_t *base;
    uint64_t bytes;
    uint64_t used;
};

/* Who says that a call failed, where it is not the method itself. */
enum lam_failure {
    LAM_FAILURE_NONE = 0,
    LAM_FAILURE_NO_MODULE = 1,  /* unloaded, or never there */
    LAM_FAILURE_NO_METHOD = 2,  /* detail: the id */
    LAM_FAILURE_TOO_DEEP = 3,   /* detail: the depth that was allowed */
    LAM_FAILURE_DEADLINE = 4,   /* the call had not ended by it; a worker was killed */
    LAM_FAILURE_BUSY = 5,       /* no turn at the module by the deadline */
    LAM_FAILURE_BAD_REPLY = 6,  /* the module says it wrote more than it was given room for */
    LAM_FAILURE_CRASHED = 7,    /* detail: the signal that ended the worker */
    LAM_FAILURE_EXITED = 8,     /* detail: the status with which the module ended the worker */
    LAM_FAILURE_NO_WORKER = 9,  /* none could be started; detail: a negative errno */
    LAM_FAILURE_POISONED = 10,  /* the worker wrote what no worker writes into its channel */
    LAM_FAILURE_NO_THREAD = 11, /* more threads call than LAM_RUNTIME_THREADS_MAX */
    LAM_FAILURE_OPEN = 12,      /* the module's breaker lets nobody in; detail: for how many ms */
    LAM_FAILURE_LIMITED = 13,   /* a quota or a queue is full; detail: which */
    LAM_FAILURE_VETOED = 14,    /* the program's own middleware refused it; detail: its number */
    LAM_FAILURE_UNREADY = 15,   /* its probes say that it is not ready */
    LAM_FAILURE_REMOTE = 32,    /* lamina/runtime/remote.h: the host could not be asked */
};

/* Where the answer of a call goes. All of it is the caller's. */
struct lam_module_reply {
    void *data;
    uint64_t capacity;
    uint64_t bytes;   /* set: how long the answer is; after -ENOSPC how long it would have been */
    uint32_t failure; /* set: enum lam_failure */
    int32_t detail;   /* set: of the failure */
};

struct lam_call;

/* The place of an answer that is to come: the module's from lam_host.later to lam_host.answer. */
struct lam_later {
    const struct lam_host *host;
};

/* Returned by a method: it has taken a place, and the answer will come there. */
#define LAM_LATER INT32_MIN

/* A value of a line of the log. The strings are borrowed for the call. */
struct lam_log_field {
    const char *name;
    const char *value;
};

enum lam_level {
    LAM_LEVEL_DEBUG = 0,
    LAM_LEVEL_INFO = 1,
    LAM_LEVEL_WARN = 2,
    LAM_LEVEL_ERROR = 3,
};

enum lam_metric {
    LAM_METRIC_COUNTER = 0,   /* the value is added */
    LAM_METRIC_GAUGE = 1,     /* the value is the last one given */
    LAM_METRIC_HISTOGRAM = 2, /* the value, such as nanoseconds, is counted */
};

/*
 * What the host does for a module. Every function may be called from any thread that is inside an
 * entry of the module, with the call that the entry was given. None keeps what it is given.
 */
struct lam_host {
    uint32_t bytes;
    uint32_t abi;

    /* Monotonic nanoseconds, the clock of deadlines. */
    uint64_t (*now_ns)(void);

    /* @text and the fields go to the host's log. */
    void (*log)(const struct lam_call *call, enum lam_level level, const char *text,
        const struct lam_log_field *fields, uint32_t field_count);

    /*
     * Note @value under @name, which is this module's own and of one kind: another kind has its own
     * names. Returns 0; -EINVAL @name has LAM_NAME_BYTES_MAX bytes or more, or there is no such
     * kind; -ENOSPC this module has LAM_METRICS_MAX names already, or there is no memory for more.
     */
    int (*metric)(
        const struct lam_call *call, enum lam_metric kind, const char *name, uint64_t value);

    /*
     * Call @method of the module that the host knows as @module, within this call: its deadline,
     * its trace and its depth go along. Returns as the module method, or a failure in *@reply.
     */
    int (*call)(struct lam_call *call, const char *module, uint32_t method, const void *request,
        uint64_t request_bytes, struct lam_module_reply *reply);

    /*
     * A place for this call's answer, which comes when the entry has returned LAM_LATER. One for
     * each call. What the call lent is still lent until the entry returns, and no longer: the
     * caller may leave at its deadline. Returns NULL: LAM_LATER_MAX of them are without an answer,
     * or there is no memory.
     */
    struct lam_later *(*later)(struct lam_call *call);

    /*
     * Answer there, from any thread, once: @bytes at @data are copied. @status is as of an entry.
     * Returns 0; -ENOSPC the caller had too little room, and knows what it needs; -ETIMEDOUT the
     * caller has left. @later is gone in each case.
     */
    int (*answer)(struct lam_later *later, int status, const void *data, uint64_t bytes);
};

/*
 * One call, as the module sees it. All of it is borrowed until the entry returns.
 *
 * Entries beside methods use the same struct: what they read is @request, what they give is @reply.
 */
struct lam_call {
    uint32_t bytes;  /* of this struct, as the host was built */
    uint32_t method; /* its id; 0 for the other entries */
    const struct lam_host *host;
    void *state; /* set by init, the same in every later call */
    const void *request;
    uint64_t request_bytes;
    void *reply;
    uint64_t reply_capacity;
    uint64_t reply_bytes; /* set by the module */
    uint64_t deadline_ns; /* monotonic; UINT64_MAX: none */
    struct lam_trace trace;
    const char *caller; /* name of the calling module; "" for the program */
    uint32_t depth;     /* 0: called by the program */
    uint32_t depth_max;
    uint32_t pressure; /* thousandths: 0 idle, 1000 the host is about to refuse */
    uint32_t reserved;
    struct lam_call_arena arena;
    const void *frame; /* the host's own */
};

/*
 * A method, or another entry. Returns 0 with reply_bytes set; -ENOSPC with reply_bytes set to what
 * the answer needs, where the capacity is too small; another negative errno; or a positive number
 * of the module's own.
 */
typedef int (*lam_entry_fn)(struct lam_call *call);

/*
 * Several calls of one method at once, 2 or more: lam_batch_at() of module.h finds each, for they
 * lie as far apart as calls->bytes says. Each has its own request, its own room for an answer with
 * its own reply_bytes, and its result, as a method would return it, in the same place of @results.
 */
typedef void (*lam_batch_fn)(struct lam_call *calls, int32_t *results, uint32_t count);

/* May be called again after a failure that leaves open whether it ran. */
#define LAM_METHOD_IDEMPOTENT 1u
/* The same request has the same answer: the host may keep it, where it was told to. */
#define LAM_METHOD_CACHEABLE 2u
#define LAM_METHOD_FLAGS     3u

/* The name of a method that takes the calls of every id that no other one of its module has. */
#define LAM_METHOD_ANY "*"

struct lam_method {
    const char *name;
    uint32_t id; /* LAM_METHOD_ID(name) */
    uint32_t flags;
    lam_entry_fn call;
};

/* Without it the dependency must be loaded first. */
#define LAM_DEPENDENCY_OPTIONAL 1u

struct lam_dependency {
    const char *name;
    const char *range; /* as ">=1.2.0 <2", below 64 bytes; NULL: any version */
    uint32_t flags;
    uint32_t reserved;
};

/* Calls may come from several threads at once. Without it the host makes them wait for a turn. */
#define LAM_MODULE_CONCURRENT UINT64_C(1)
#define LAM_MODULE_FEATURES   UINT64_C(1) /* all that this version knows */

/* Constant, in the module's own memory, valid while it is loaded. LAM_MODULE() fills the first. */
struct lam_descriptor {
    uint32_t bytes;
    uint32_t abi;
    uint32_t method_count;
    uint32_t method_bytes; /* sizeof(struct lam_method), as built */
    const char *name;
    struct lam_version version;
    const struct lam_method *methods;
    uint32_t dependency_bytes; /* sizeof(struct lam_dependency), as built */
    /* What follows is the author's. */
    uint32_t dependency_count;
    const struct lam_dependency *dependencies;
    uint64_t features; /* LAM_MODULE_... */
    /* All of these may be NULL. */
    lam_entry_fn init;     /* request: the configuration; sets state */
    lam_entry_fn shutdown; /* once, after the last call */
    lam_entry_fn health;   /* 0: ready; > 0: alive, not ready; < 0: ill */
    lam_entry_fn save;     /* reply: the state, for a successor; no call runs meanwhile */
    lam_entry_fn restore;  /* request: what a predecessor saved; after init, before any call */
    lam_batch_fn batch;
};

#ifdef __cplusplus
}
#endif

#endif
