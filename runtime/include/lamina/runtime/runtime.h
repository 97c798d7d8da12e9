/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RUNTIME_RUNTIME_H
#define LAM_RUNTIME_RUNTIME_H

/*
 * lamina/runtime/runtime.h: load modules, call them, replace them under load.
 *
 * Runtime, floor 6. A runtime holds modules by name. A module's handle stays what it is while the
 * code behind it is replaced; each code that was loaded is a generation of it, and a call belongs
 * to the generation in which it began. Code runs from a copy in memory, never from the file: who
 * overwrites the file does not touch what runs.
 *
 * Calls come from any thread, LAM_RUNTIME_THREADS_MAX of them at a time in a process. They take no
 * lock and write no line that another thread writes.
 */

#include "lamina/base/clock.h"
#include "lamina/base/error.h"
#include "lamina/runtime/abi.h"
#include "lamina/runtime/method_id.h"
#include "lamina/runtime/sandbox.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LAM_RUNTIME_THREADS_MAX 1024
#define LAM_RUNTIME_MODULES_MAX 256
#define LAM_RUNTIME_DEPTH_MAX   16

#define LAM_WORKER_REQUEST_BYTES_MAX (UINT64_C(63) << 20)
#define LAM_WORKER_REPLY_BYTES_MAX   (UINT64_C(32) << 20)

struct lam_runtime; /* opaque */
struct lam_module;  /* opaque; the runtime's, valid until the runtime is destroyed */

/* A line of a module's log. Called from the thread that calls the module, or the runtime's own. */
typedef void (*lam_runtime_log_fn)(void *context, const char *module, enum lam_level level,
    const char *text, const struct lam_log_field *fields, uint32_t field_count);

struct lam_middleware_options;
struct lam_trace_options;

/* Zero is the default of each. Everything is copied but @log_context. */
struct lam_runtime_options {
    uint32_t depth_max;      /* calls within calls: 1 to LAM_RUNTIME_DEPTH_MAX; default 5 */
    uint32_t reserved;       /* 0 */
    uint64_t arena_bytes;    /* for each call: at most 1 MiB; default 64 KiB */
    uint64_t drain_ns;       /* how long a replaced generation may finish its calls; default 30 s */
    const char *directories; /* where names are looked for: "/a:/b"; default none */
    const char *worker; /* program of workers; default: lamina-worker beside this program, or where
                           Lamina is installed */
    /* SHA-256 of all that may run, in hexadecimal, with spaces or lines between; default: any. They
       are looked for in the copy that runs. Needs libcrypto.so, from OpenSSL, when it is used. */
    const char *allowed_sha256;
    uint32_t checks_owner; /* 1: files must be root's or this user's, and nobody else's to write */
    uint32_t loads_dependencies; /* 1: what a module needs is loaded before it: dependency.h */
    lam_runtime_log_fn log;      /* default: a line on standard error */
    void *log_context;
    const struct lam_middleware_options *middleware; /* around every call; middleware.h */
    const struct lam_trace_options *trace;           /* of every call; trace.h */
    /* What holds for each module that says nothing else. */
    uint64_t call_ns; /* from its begin, of a call of the program that has no deadline; retry.h says
                         it by module and method; default none */
    uint64_t worker_memory_bytes; /* memory_bytes of sandbox.h; default: no end */
    /* Of each module that is loaded without limits of its own: limits.h, without DEGRADE. */
    const struct lam_limits_options *limits;
};

/*
 * Make a runtime without modules. @options may be NULL. Ended by lam_runtime_destroy().
 *
 * Returns 0 and sets *@runtime, or -EINVAL a field is outside its range, or -ENOMEM.
 */
int lam_runtime_create(struct lam_runtime **runtime, const struct lam_runtime_options *options,
    struct lam_error *error);

/*
 * Unload all modules, the latest first, and free the runtime with all its handles. No call may be
 * running or come (asserted for those that run). NULL is allowed.
 */
void lam_runtime_destroy(struct lam_runtime *runtime);

/* Where a module's code runs. */
enum lam_module_host {
    LAM_MODULE_IN_PROCESS = 0, /* here: nanoseconds, and its crash is ours */
    LAM_MODULE_IN_WORKER = 1,  /* in a process of its own: its crash is an error */
};

struct lam_batch_options;
struct lam_cache_options;
struct lam_health_options;
struct lam_pool_options;

/* Zero is the default of each. Everything is copied. */
struct lam_module_options {
    enum lam_module_host host;
    const char *name;   /* what it is called here; default: what it calls itself */
    const void *config; /* handed to its init, at each generation */
    uint64_t config_bytes;
    uint32_t counts_calls; /* 1: lam_runtime_prometheus() tells of its calls; two looks at the clock
                              and a line of the thread's own for each */
    uint32_t reserved;     /* 0 */
    /* What it may do in a worker; NULL: the defaults there. In this process NULL. */
    const struct lam_sandbox_options *sandbox;
    const struct lam_limits_options *limits;         /* limits.h; NULL: off */
    const struct lam_breaker_options *breaker;       /* breaker.h; NULL: off */
    const struct lam_retry_options *retry;           /* retry.h; NULL: off */
    const struct lam_middleware_options *middleware; /* middleware.h; NULL: none of its own */
    const struct lam_cache_options *cache;           /* cache.h; NULL: off */
    const struct lam_health_options *health;         /* health.h; NULL: off */
    const struct lam_pool_options *pool; /* pool.h; NULL: one worker, or in this process */
    uint32_t can_split;      /* 1: lam_module_split_start() may send calls elsewhere: split.h */
    uint32_t reserved_split; /* 0 */
    const struct lam_batch_options *batch; /* batch.h; NULL: off */
};

/*
 * Load the module that @reference names, run its init, and let calls come. A reference is
 *
 *     one with a slash   that file
 *     NAME@RANGE         the newest version that fits (version.h), of the registry (registry.h),
 *                        else of the first directory that has one: NAME-1.2.3.so, else NAME.so
 *     NAME               the newest of the registry; else of the first directory that has one
 *                        NAME.so, else the newest NAME-1.2.3.so
 *
 * A version is what the module says it is; one that is called otherwise is refused. @options may be
 * NULL. Blocks on the file and on the loader. Any thread.
 *
 * Returns 0 and sets *@module, or
 *   -ENOENT, -EACCES, -errno  of finding, opening and reading the file
 *   -EFBIG    a file of more than 1 GiB
 *   -ENOEXEC  no shared object of this machine, or without a description; @error says which
 *   -EPROTO   its description makes no sense, or is of another version; @error says which field
 *   -ENOENT, -ERANGE, -ELOOP  what it needs is not loaded, is of a version that does not fit, or
 *             needs it: dependency.h
 *   -EPERM    checks_owner, allowed_sha256 or the registry's sum forbid it; -ENOTSUP a sum is to be
 *             checked, and there is no libcrypto
 *   -EEXIST   a module of that name is loaded
 *   -ENOSPC   LAM_RUNTIME_MODULES_MAX names have been used
 *   -EINVAL   its name is empty, too long, or has a slash or control bytes, there is no such host,
 *             or what is asked of its sandbox or its pool makes no sense
 *   -ENOTSUP  a stage that @options switch on needs what the module has not; @error says what
 *   -ECANCELED its init failed; @error has its number
 *   -EOWNERDEAD, -ETIMEDOUT  its worker ended, or did not start
 *   -ENOTSUP  its sandbox is strict, and the layer that @error names is not active
 *   -ENOMEM
 */
int lam_runtime_load(struct lam_runtime *runtime, const char *reference,
    const struct lam_module_options *options, struct lam_module **module, struct lam_error *error);

/* The module that is loaded under @name, or NULL. Any thread. */
struct lam_module *lam_runtime_find(struct lam_runtime *runtime, const char *name);

struct lam_reload_options {
    const char *reference; /* default: that of the load, or of the last reload */
    uint64_t drain_ns;     /* default: the runtime's */
    uint32_t keep_state;   /* 1: the old one's save goes to the new one's restore */
    uint32_t reserved;     /* 0 */
};

/*
 * Put a new generation in the place of the old one, while calls go on. None fails for it. Without
 * keep_state new calls go to the new one at once, and the old one ends when its last call has. With
 * keep_state new calls wait while the old one finishes its calls and hands its state over: where
 * modules call each other in a circle, those that wait may keep the old one's from their end, until
 * a deadline of theirs or drain_ns. After any error the old one serves as before. Blocks; one at a
 * time for each module. Any thread that is not inside this module.
 *
 * Returns 1 replaced, and the old one still has calls after drain_ns: it ends when they do, at the
 * next lam_runtime_load(), reload, unload or lam_runtime_collect(); 0 replaced, and the old one has
 * ended; or as lam_runtime_load(), or
 *   -ENODEV    it is unloaded
 *   -EDEADLK   called from inside this module
 *   -ERANGE    a module that is loaded needs another version: dependency.h
 *   -ENOTSUP   keep_state, and one of the two has no save or no restore, or its pool may have more
 *              than one worker
 *   -ETIMEDOUT keep_state, and the old one's calls did not end within drain_ns
 *   -ECANCELED init, save or restore failed; @error has its number
 */
int lam_runtime_reload(
    struct lam_module *module, const struct lam_reload_options *options, struct lam_error *error);

/*
 * Take a module out of service: calls that come fail (LAM_FAILURE_NO_MODULE), those that run may
 * finish until @deadline_ns. The handle stays valid; a load under the same name serves through it.
 *
 * Returns as lam_runtime_reload(), -ENODEV, or -EBUSY it is needed by others: dependency.h.
 */
int lam_runtime_unload(struct lam_module *module, uint64_t deadline_ns, struct lam_error *error);

/* End replaced generations without calls. Returns how many still have calls. Any thread. */
uint32_t lam_runtime_collect(struct lam_runtime *runtime);

enum lam_module_phase {
    LAM_MODULE_UNLOADED = 0,
    LAM_MODULE_SERVING = 1,
    LAM_MODULE_LOADING = 2, /* serving, and a successor is being made ready */
    LAM_MODULE_HOLDING = 3, /* calls wait while the state is handed over */
};

/* A look at a module. */
struct lam_module_stat {
    char name[LAM_NAME_BYTES_MAX];
    struct lam_version version;
    enum lam_module_phase phase;
    uint32_t calls;      /* that run now, in all generations */
    uint32_t draining;   /* replaced generations that have calls */
    uint32_t is_brought; /* 1: it was loaded because another one needs it: dependency.h */
    uint32_t reserved;   /* 0 */
    uint64_t generation; /* 1 for the first */
};

/* Any thread, at any time; what moves meanwhile is an answer between the old and the new one. */
void lam_module_look(struct lam_module *module, struct lam_module_stat *stat);

/* What a module noted under one name. */
struct lam_module_metric {
    const char *name; /* borrowed for the visit */
    enum lam_metric kind;
    uint32_t reserved; /* 0 */
    uint64_t value;    /* counter: the sum; gauge: the last one; histogram: how many were noted */
    /* Of a histogram, known to 3.2 %, and 0 where nothing was noted or for the other kinds. */
    uint64_t median, p90, p99, max;
};

typedef void (*lam_module_metric_fn)(void *context, const struct lam_module_metric *metric);

/*
 * Visit what the module noted, in the order in which the names came. It outlives generations and an
 * unload. Any thread, at any time: what moves meanwhile is seen or not, name by name. @visit may be
 * NULL.
 *
 * Returns how many names there are.
 */
uint32_t lam_module_metrics(struct lam_module *module, lam_module_metric_fn visit, void *context);

/*
 * What all modules have done so far, as text for Prometheus (exposition format 0.0.4): by module
 * loads, reloads that succeeded and that failed, unloads, workers that died, and calls that run;
 * for those with counts_calls also by method and version the calls that ended, those that ended
 * with an error, by their deadline or with their worker, and a histogram of their seconds. Counts
 * never go back, whatever is reloaded or unloaded; what modules note themselves
 * (lam_module_metrics()) follows, by module and name. At most @capacity bytes go to @text, with a
 * terminator; cut short where that is too little. Any thread.
 *
 * Returns how many bytes the whole text has, without its terminator.
 */
uint64_t lam_runtime_prometheus(struct lam_runtime *runtime, char *text, uint64_t capacity);

/*
 * Call @method (LAM_METHOD_ID() of its name) of the module, in this thread. *@reply is the
 * caller's, with data and capacity set; bytes, failure and detail are set by the call.
 *
 * @deadline_ns is monotonic (LAM_DEADLINE_NEVER: none). In this process it is told to the module,
 * which may look at it; nobody can take a thread out of a module's code.
 *
 * Wait-free but for the module's own code, and for a turn at a module that is not concurrent.
 *
 * Returns 0; or what the method returned (reply->failure is LAM_FAILURE_NONE then): -ENOSPC with
 * reply->bytes set to what is needed, another negative errno, a positive number of its own; or,
 * with reply->failure,
 *   -ENODEV    NO_MODULE
 *   -ENOENT    NO_METHOD
 *   -ELOOP     TOO_DEEP
 *   -ETIMEDOUT DEADLINE or BUSY
 *   -EPROTO    BAD_REPLY
 *   -EUSERS    NO_THREAD
 *   -ECANCELED OPEN, LIMITED, VETOED, UNREADY: by what the module's options switch on
 * and of a worker
 *   -EOWNERDEAD       CRASHED, EXITED, NO_WORKER
 *   -ENOTRECOVERABLE  POISONED
 *   -EMSGSIZE         a request of more than LAM_WORKER_REQUEST_BYTES_MAX; nothing was called. An
 *                     answer of more than LAM_WORKER_REPLY_BYTES_MAX finds no room (-ENOSPC)
 */
int lam_module_call(struct lam_module *module, uint32_t method, const void *request,
    uint64_t request_bytes, struct lam_module_reply *reply, uint64_t deadline_ns);

#ifdef __cplusplus
}
#endif

#endif
