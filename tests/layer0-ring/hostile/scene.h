/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TEST_HOSTILE_SCENE_H
#define TEST_HOSTILE_SCENE_H

/*
 * Two rings, one for one producer and one for many, each as its maker, a writer, a reader and an
 * observer have it mapped, and ends of every kind on them, which come and go. Data is mapped for
 * reading alone where consumers are, so a store that is not theirs to make is a fault.
 */

#include "lamina/ring/consumer.h"
#include "lamina/ring/group.h"
#include "lamina/ring/many.h"
#include "lamina/ring/merge.h"
#include "lamina/ring/observe.h"
#include "lamina/ring/producer.h"
#include "lamina/ring/required.h"

enum {
    SCENE_RINGS = 2,
    SCENE_CONSUMERS = 6,
    SCENE_MEMBERS = 3,
    SCENE_MANY = 3,
};

/* How one process has a ring mapped. */
enum scene_side { SCENE_WRITER, SCENE_READER, SCENE_OBSERVER, SCENE_SIDES };

struct scene_consumer {
    struct lam_ring_consumer consumer;
    struct lam_ring_merge *merge; /* reads it, and nobody else does */
    uint32_t member;              /* its index there */
    int is_there;
};

struct scene_member {
    struct lam_ring_member member;
    int is_there;
};

struct scene_many {
    struct lam_ring_many_producer producer;
    int is_there;
};

struct scene {
    struct lam_ring made[SCENE_RINGS];
    struct lam_ring sides[SCENE_RINGS][SCENE_SIDES];
    int is_mapped[SCENE_RINGS][SCENE_SIDES];
    struct lam_ring_producer producer;
    struct lam_ring_required required;
    int has_producer;
    struct scene_many many[SCENE_MANY];
    struct scene_consumer consumers[SCENE_CONSUMERS]; /* the last two on the ring for many */
    struct scene_member members[SCENE_MEMBERS];
    struct lam_ring_merge merge;
};

/* Make both rings, of some geometry, and be their only user. */
void scene_make(struct scene *scene);

/* The ends leave, and the rings go. */
void scene_end(struct scene *scene);

/* Map ring @ring as @side has it, unless that is done. Returns it, or NULL: it is refused. */
struct lam_ring *scene_side(struct scene *scene, uint32_t ring, enum scene_side side);

/* All ends leave, in any order. */
void scene_leave(struct scene *scene);

/* One operation of some end. */
void scene_call(struct scene *scene);

/* Of all operations of each kind of end, some one. */
void scene_produce(struct scene *scene);
void scene_produce_many(struct scene *scene);
void scene_consume(struct scene *scene);
void scene_share(struct scene *scene);
void scene_merge(struct scene *scene);
void scene_look(struct scene *scene);

/* Likewise, with threads of the ends' own: only where the clock is the machine's. */
void scene_with_threads(struct scene *scene);

/* Their ends leave. */
void scene_leave_producer(struct scene *scene);
void scene_leave_many(struct scene *scene, uint32_t at);
void scene_leave_consumer(struct scene *scene, uint32_t at);
void scene_leave_member(struct scene *scene, uint32_t at);

/* Rings with names, in a folder that ends with it: made over others, kept, revived, cleaned. */
void scene_lifecycle(const char *folder);

/* Read all that an event lends: what lies outside is a guard. */
void scene_read(const struct lam_event *event);

extern const char *const scene_names[5];
const char *scene_name(void);

#endif
