/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RUNTIME_INTERNAL_H
#define LAM_RUNTIME_INTERNAL_H

/*
 * internal.h: a runtime, its modules, and the generations behind each.
 */

#include <pthread.h>

#include "depend.h"
#include "events.h"
#include "keeper.h"
#include "lamina/runtime/pool.h"
#include "lamina/runtime/runtime.h"
#include "linux/barrier.h"
#include "linux/image.h"
#include "metrics.h"
#include "resolve.h"
#include "seat.h"
#include "wish.h"

struct lam_generation;
struct lam_path;
struct lam_crew;
struct lam_tracing;
struct remote_feed;
struct crew_place;
struct lam_usage_past;

/* A call while it runs, on the stack of its thread. */
struct lam_frame {
    struct lam_call call; /* what the module sees */
    struct lam_module *module;
    struct lam_generation *generation;
    struct lam_seat *seat;
    struct crew_place *place; /* of the worker that it runs in, or NULL */
    struct lam_frame *outer;  /* the call within which this one is, or NULL */
    struct lam_later *later;  /* where its answer will come, or NULL */
    int has_default_deadline; /* the runtime's, and not one that was given */
};

/* Where the code of a generation runs. */
struct lam_host_kind {
    /* Run @entry with frame->call, and answer into *@reply. Returns as lam_module_call(). */
    int (*call)(struct lam_generation *generation, const struct lam_method *entry,
        struct lam_frame *frame, struct lam_module_reply *reply);
    /* Run its init. Returns what that returned, or 0 where there is none. */
    int (*start)(struct lam_generation *generation);
    /* Returns what the entry returned, or -ENOTSUP where there is none. *@state is to be freed. */
    int (*save)(struct lam_generation *generation, void **state, uint64_t *bytes);
    int (*restore)(struct lam_generation *generation, const void *state, uint64_t bytes);
    /* Shutdown, if it was started, and let go of everything. No call is inside. */
    void (*close)(struct lam_generation *generation);
};

/* One code that was loaded. */
struct lam_generation {
    const struct lam_host_kind *kind;
    /* Methods by id: the place of an id is the first from id & mask on that has it. */
    struct lam_method *methods;
    const struct lam_method *any; /* serves the ids that no other has; or NULL */
    uint32_t mask;
    uint32_t is_serial;    /* one call at a time, by @turn */
    uint32_t is_started;   /* its init has run */
    lam_atomic_u32 guests; /* runs in threads that have no pin on it; see path/hedge.h */
    struct lam_module *module;
    void *state;
    uint64_t number;
    uint64_t features;
    struct lam_version version;
    char name[LAM_NAME_BYTES_MAX];
    struct lam_generation *next; /* of those that drain */
    struct lam_path *path;       /* its share of its module's, or NULL: no stage is on */
    /* Where calls are counted: by seat, a block of struct lam_usage_method, or 0. NULL: off */
    lam_atomic_u64 *usage;
    struct lam_generation *next_counted;
    pthread_mutex_t turn;
    struct image_copy image;
    struct lam_needs needs;
    /* Where it comes from, while it is opened. */
    const struct lam_runtime *runtime;
    const struct lam_found *found;
    /* In this process. */
    void *handle;
    const struct lam_descriptor *descriptor;
    /* In a worker. */
    struct lam_crew *crew;
    struct lam_sandbox *sandbox;
    char *file; /* for messages */
};

struct lam_module {
    /* The generation that new calls go to, &lam_generation_held, or 0. */
    _Alignas(128) lam_atomic_u64 current;
    struct lam_runtime *runtime;
    uint32_t name_hash;
    char name[LAM_NAME_BYTES_MAX];
    /* Of whoever loads, reloads or unloads it: one at a time. */
    _Alignas(128) pthread_mutex_t change;
    lam_atomic_u32 phase;      /* enum lam_module_phase */
    lam_atomic_u32 is_brought; /* for the sake of another one */
    enum lam_module_host host;
    uint32_t has_pool;
    struct lam_pool_options pool; /* in a worker: without one, of one worker */
    struct sandbox_wish *wish;    /* for its workers; NULL in this process */
    uint64_t generations;         /* that were made */
    char *reference;
    void *config;
    uint64_t config_bytes;
    /* Guarded by the runtime's lock: generations that were replaced and have calls. */
    struct lam_generation *draining;
    /* Calls that wait while the module is held. */
    pthread_mutex_t gate;
    pthread_cond_t opened;
    /* Guarded by the runtime's graph: the generation that counts there, and the one that may. */
    struct lam_generation *now, *next;
    uint64_t visit; /* the last of the runtime's that came here */
    struct lam_metrics metrics;
    lam_atomic_u64 told[LAM_EVENT_KINDS]; /* how often what happened to it, by kind */
    struct lam_path *path; /* of the next generations; changed under the runtime's lock */
    pthread_mutex_t counted;
    /* Guarded by it: generations that count, and what those that ended have counted. */
    struct lam_generation *generations_counted;
    struct lam_usage_past *usage_past;
};

struct lam_runtime {
    struct lam_runtime_options options;
    char *directories;
    struct lam_registry registry;
    struct lam_allowed allowed;
    char *worker;                              /* the program, or "" */
    struct lam_tracing *tracing;               /* where spans go, or NULL */
    struct lam_limits_options *limits;         /* of modules without their own, or NULL */
    struct lam_middleware_options *middleware; /* around the calls of all modules, or NULL */
    const struct lam_host *host;               /* what modules are lent */
    pthread_mutex_t loading;           /* one load at a time; recursive, for an init that loads */
    pthread_mutex_t lock;              /* lists of draining generations */
    struct lam_discovery *discoveries; /* guarded by the lock */
    pthread_mutex_t graph;             /* who needs whom */
    uint64_t visits;                   /* guarded by it: walks of the graph so far */
    struct lam_observers observers;
    struct lam_keeper keeper; /* does what is to be done when nobody calls */
    struct remote_feed *feed; /* of remote/feed.c, freed at the end; or NULL */
    lam_atomic_u32 module_count;
    lam_atomic_u64 modules[LAM_RUNTIME_MODULES_MAX]; /* struct lam_module, in order of loading */
};

/* In the place of a generation: wait at the gate. */
extern char lam_generation_held;

/* ---- runtime.c ---- */

/* The handle of that name, or the one that was made as the @index-th: loaded or not. NULL: none. */
struct lam_module *lam_runtime_handle(struct lam_runtime *runtime, const char *name);
struct lam_module *lam_runtime_handle_at(const struct lam_runtime *runtime, uint32_t index);

/* ---- load.c ---- */

/* As lam_runtime_load(), for the sake of @outer. */
int lam_runtime_load_within(struct lam_runtime *runtime, const char *reference,
    const struct lam_module_options *options, const struct lam_chain *outer,
    struct lam_module **module, struct lam_error *error);

/* ---- generation.c ---- */

/*
 * Make a generation of the code that was @found, for a module that is not yet known: with a wish in
 * a worker, with NULL in this process.
 *
 * Returns as lam_runtime_load().
 */
int lam_generation_open(struct lam_generation **generation, const struct lam_runtime *runtime,
    const struct sandbox_wish *wish, const struct lam_found *found, struct lam_error *error);

/* It is the next of @module: run its init. Returns 0, or -ECANCELED with a reason in @error. */
int lam_generation_start(
    struct lam_generation *generation, struct lam_module *module, struct lam_error *error);

void lam_generation_close(struct lam_generation *generation);

/* Let calls go to @generation (NULL: to none, &lam_generation_held: to the gate). Returns who had
 * them; behind it, no call begins there. */
struct lam_generation *lam_generation_publish(struct lam_module *module, const void *generation);

/* How many calls and guests are inside. Behind lam_barrier_heavy(): none that came before it is
 * missed. */
uint32_t lam_generation_count(const struct lam_generation *generation);

/* The guests of all its generations have left; calls bring no more. */
void lam_generation_await_guests(struct lam_module *module);

/* Wait until no call is inside. Returns 0, or -ETIMEDOUT. */
int lam_generation_drain(const struct lam_generation *generation, uint64_t deadline_ns);

/* The method with that id, or NULL. */
static inline const struct lam_method *lam_generation_find(
    const struct lam_generation *generation, uint32_t id)
{
    for (uint32_t at = id;; at++) {
        const struct lam_method *method = &generation->methods[at & generation->mask];

        if (method->id == id && method->call != NULL)
            return method;
        if (method->call == NULL)
            return NULL;
    }
}

/* The one that serves that id: with that id, or the one that serves any, or NULL. */
static inline const struct lam_method *lam_generation_serve(
    const struct lam_generation *generation, uint32_t id)
{
    const struct lam_method *method = lam_generation_find(generation, id);

    return __builtin_expect(method != NULL, 1) ? method : generation->any;
}

/* ---- descriptor.c ---- */

/* Look at what a module says of itself. Returns 0, or -EPROTO with the field in @error. */
int lam_descriptor_check(
    const char *path, const struct lam_descriptor *descriptor, struct lam_error *error);

/* Keep of it what calls need. Returns 0, or -ENOMEM. */
int lam_descriptor_keep(struct lam_generation *generation, const struct lam_descriptor *descriptor);

/* ---- local.c ---- */

extern const struct lam_host_kind lam_host_local;

/* Load the code of generation->found into this process. Returns as lam_runtime_load(). */
int lam_local_open(struct lam_generation *generation, struct lam_error *error);

/* The same of generation->image, which is open. On error it is closed. */
int lam_local_open_image(
    struct lam_generation *generation, const char *path, struct lam_error *error);

/* ---- worker/host.c ---- */

/*
 * Load the code of generation->found into a worker, a process of @program, in generation->sandbox.
 * Returns as lam_runtime_load().
 */
int lam_worker_open(
    struct lam_generation *generation, const char *program, struct lam_error *error);

/* ---- worker/choice.c ---- */

/* Fill in defaults. Returns 0, or -EINVAL with the field in @error. */
int lam_pool_check(struct lam_pool_options *options, struct lam_error *error);

/* ---- host.c ---- */

void lam_log_to_stderr(void *context, const char *module, enum lam_level level, const char *text,
    const struct lam_log_field *fields, uint32_t field_count);

/* What modules are lent. */
extern const struct lam_host lam_host_table;

/* The frame of a call that was lent. */
static inline struct lam_frame *lam_frame_of(const struct lam_call *call)
{
    return (struct lam_frame *)(uintptr_t)call->frame;
}

/* A frame for the entries beside methods. They take the same struct as a call. */
void lam_frame_init(struct lam_frame *frame, struct lam_module *module, const void *request,
    uint64_t request_bytes, void *reply, uint64_t reply_capacity);

/* ---- module.c ---- */

struct lam_module *lam_module_create(struct lam_runtime *runtime, const char *name);

/* Its last generation is closed. */
void lam_module_destroy(struct lam_module *module);

/* End those replaced generations of the module that have no calls. Returns how many have. */
uint32_t lam_module_collect(struct lam_module *module);

/* Who failed the call, and nothing of an answer. Returns @rc. */
static inline int lam_reply_fail(
    struct lam_module_reply *reply, enum lam_failure failure, int32_t detail, int rc)
{
    reply->bytes = 0;
    reply->failure = failure;
    reply->detail = detail;
    return rc;
}

/* ---- call.c ---- */

/* The code itself, behind all stages: in its turn where it takes one call at a time. Returns as
 * lam_module_call(). */
int lam_call_enter(struct lam_generation *generation, const struct lam_method *entry,
    struct lam_frame *frame, struct lam_module_reply *reply);

/*
 * Run the call of @from, which is inside its module, in @module instead, at the same depth. Returns
 * 1 and what it returned in *@rc; or 0, and nothing has happened: @module is not in service, or
 * this is a detour already.
 */
int lam_call_detour(
    struct lam_module *module, struct lam_frame *from, struct lam_module_reply *reply, int *rc);

/* The batch entry, in this process, within @frame: in its turn where the module takes one call at a
 * time. Returns 0, or -ETIMEDOUT: no turn until @deadline_ns. */
int lam_call_enter_batch(struct lam_generation *generation, struct lam_frame *frame,
    struct lam_call *calls, int32_t *results, uint32_t count, uint64_t deadline_ns);

/* A call as of the program, from a thread that is inside none: part of the trace @above, and below
 * its span, or of no trace where its id is 0. NULL: as lam_module_call(). */
int lam_call_run_below(const struct lam_trace *above, struct lam_module *module, uint32_t method,
    const void *request, uint64_t request_bytes, struct lam_module_reply *reply,
    uint64_t deadline_ns);

/* A call of a module by the program or, with @caller, by another module. */
int lam_call_run(struct lam_module *module, const char *caller, uint32_t method,
    const void *request, uint64_t request_bytes, struct lam_module_reply *reply,
    uint64_t deadline_ns);

#endif
