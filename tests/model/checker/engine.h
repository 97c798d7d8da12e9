/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TEST_MODEL_ENGINE_H
#define TEST_MODEL_ENGINE_H

/*
 * What the files of the checker share: memory.c (what a load may see), schedule.c (who goes on),
 * choices.c (what is left to try), machine.c (futex, locks, clock), trace.c (what happened).
 */

#include <stdint.h>

#include "model.h"

/* The threads, and behind them "finally". */
#define MODEL_FINALLY        MODEL_THREAD_COUNT_MAX
#define MODEL_ACTOR_COUNT    (MODEL_THREAD_COUNT_MAX + 1)
#define MODEL_LOCATION_COUNT 256
#define MODEL_MESSAGE_COUNT  128 /* of one location, in one schedule */
#define MODEL_STEP_COUNT     4000
#define MODEL_CHOICE_COUNT   4000
#define MODEL_REGION_COUNT   32
#define MODEL_STALE_LOADS    4  /* of one old value in a row: then a newer one comes */
#define MODEL_LOOKS_BEFORE   12 /* by those who wait, before one who can go on does */

/*
 * What a thread, or who reads a message, knows: of each location the oldest message that may still
 * be read, and of each thread how far it was when it last was heard of (for races).
 */
struct model_view {
    uint32_t clock[MODEL_ACTOR_COUNT];
    uint16_t seen[MODEL_LOCATION_COUNT]; /* message numbers; compared by position */
};

/* A store. The list of a location's messages, by position, is its modification order. */
struct model_message {
    uint64_t value;
    struct model_view *view; /* what an acquiring reader learns; NULL: nothing */
    uint32_t step;           /* in the trace; 0 it was there before */
    uint16_t position;
    uint8_t writer;
    uint8_t is_modify; /* follows the message before it at once: nothing comes between */
};

struct model_location {
    /* These outlast a schedule. */
    const uint8_t *at;
    uint32_t bytes;
    uint32_t readers; /* a bit a thread that ever loaded, or stored */
    uint32_t writers;
    /* These belong to the schedule with this number. */
    uint64_t schedule;
    uint32_t message_count;
    uint32_t written[MODEL_ACTOR_COUNT]; /* clock of each thread's last store, for races */
    uint32_t plainly_read[MODEL_ACTOR_COUNT];
    uint16_t order[MODEL_MESSAGE_COUNT];
    struct model_message messages[MODEL_MESSAGE_COUNT];
};

enum model_wait { MODEL_READY, MODEL_PAUSED, MODEL_ASLEEP, MODEL_ENDED };

/* What a thread is about to do: two such steps of two threads commute, or do not. */
enum model_kind { MODEL_NOTHING, MODEL_READS, MODEL_WRITES, MODEL_FENCES, MODEL_KERNEL };

struct model_actor {
    struct model_view now;      /* acquire view: what loads have told so far goes into .fenced */
    struct model_view fenced;   /* what an acquire fence would add */
    struct model_view released; /* what the last release fence left for later stores */
    enum model_wait wait;
    uint32_t dead;
    uint64_t stores_seen;  /* how many stores there had been when it last went on after a pause */
    uint64_t stores_own;   /* of them, its own since */
    uint64_t refreshed_at; /* likewise + 1, when it was last made to see everything */
    uint32_t passed_over;  /* how often others waited since it could go on */
    uint64_t now_ns;
    uint64_t deadline_ns;              /* asleep: when it would wake by itself */
    const struct model_location *bell; /* asleep on */
    enum model_kind kind;              /* of the step that it is about to make, and where */
    const struct model_location *location;
    uint16_t stale_message[MODEL_LOCATION_COUNT];
    uint8_t stale_count[MODEL_LOCATION_COUNT];
};

struct model_engine {
    const struct model_program *program;
    const struct model_options *options;
    struct model_result *result;
    struct model_actor actors[MODEL_ACTOR_COUNT];
    struct model_view sc; /* what all sequentially consistent fences have seen */
    uint32_t self;
    int running;         /* 0 in set-up: accesses go straight to memory */
    int over;            /* the schedule in hand has failed, or is of no interest */
    int learned;         /* a location turned out to be shared: earlier schedules were too coarse */
    uint32_t run;        /* number of the run, for sites */
    uint64_t schedule;   /* number of the schedule, over all runs */
    uint64_t stores;     /* and whatever else who looks again may find changed */
    int in_kernel;       /* a load of the kernel's: no step of its own */
    int begins;          /* the first choice of a schedule is still to be made */
    int may_stay;        /* the running thread could go on: another one now is a preemption */
    uint32_t sleep_set;  /* threads whose next step was tried before, at an equal place */
    uint32_t deviations; /* in this schedule; see model.h */
    int killed;
};

extern struct model_engine model_engine;

static inline struct model_actor *model_me(void)
{
    return &model_engine.actors[model_engine.self];
}

/* --- places.c --- */
void model_memory_begin(void);
void model_forget_locations(void);
struct model_location *model_location_of(const void *at, uint32_t bytes);
/* A location that the running thread is about to touch, after the step that lets others go. */
struct model_location *model_touch(const void *at, uint32_t bytes, enum model_kind kind);
/* Several threads touch it and one of them stores: the order of steps there matters. */
int model_is_shared(const struct model_location *location);
int model_is_aliased(const void *at);
uint32_t model_number(const struct model_location *location);
uint64_t model_word(const void *at, uint32_t bytes);
void model_set_word(void *at, uint32_t bytes, uint64_t value);
void model_join_seen(struct model_view *into, const struct model_view *from);
void model_join(struct model_view *into, const struct model_view *from);
void model_learn(struct model_actor *actor, const struct model_view *view);
struct model_view *model_view_copy(const struct model_view *view);
void model_see(struct model_actor *actor, const struct model_location *location, uint16_t message);
/* Let @actor see the newest message of each location; it learns nothing else. */
void model_refresh(struct model_actor *actor);

/* --- memory.c --- */
/* The position of the oldest message that @actor may load. */
uint32_t model_oldest(const struct model_actor *actor, const struct model_location *location);
int model_is_modified(const struct model_location *location, uint32_t position);
/* Load @message. */
uint64_t model_take(struct model_actor *actor, struct model_location *location, uint16_t message,
    enum model_order order);
/* Make a message behind the position @before, and then what it tells. @chain: of a release */
uint16_t model_insert(struct model_location *location, uint32_t before, uint64_t value);
void model_publish(struct model_location *location, uint16_t message, enum model_order order,
    const struct model_view *chain);
/* A plain store: behind all others. */
void model_append(struct model_location *location, uint64_t value, struct model_site *site);

/* --- schedule.c --- */
/* The step that is about to be made; others may go before it. */
void model_step(enum model_kind kind, struct model_location *location);
_Noreturn void model_leave(void);
void model_block(enum model_wait wait);
void model_run_schedule(void);

/* --- choices.c --- */
void model_choices_begin(void);
/* One of @count values, 0 being the plainest. @kind decides how a random search takes it. */
uint32_t model_choose(uint32_t count, int is_load);
/* One of the threads in @ready that are not in the sleep set; the one that runs first. */
int model_choose_actor(uint32_t ready);
/* At random: @actor goes before those who were in its way, and not one step before them. */
void model_prefer(uint32_t actor);
int model_choices_next(void); /* 0: all schedules were tried */
void model_choices_restart(void);
int model_choose_death(void);
uint64_t model_random(uint64_t below);
int model_commute(const struct model_actor *a, const struct model_actor *b);

/* --- machine.c --- */
void model_machine_begin(void);
void model_machine_forget(void);
void model_machine_save(void);
void model_drop_locks_of_dead(uint32_t index);

/* --- trace.c --- */
enum model_order model_order_of(struct model_site *site);
void model_trace_begin(void);
uint32_t model_trace(const struct model_site *site, const char *what,
    const struct model_location *location, uint64_t value, uint32_t from_step);
void model_trace_print(void);

#endif
