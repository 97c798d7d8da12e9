/* SPDX-License-Identifier: Apache-2.0 */
/* All that consumers do: of every policy, after others, in groups, merged. */
#include "lamina/ring/counter.h"
#include "lamina/ring/drain.h"
#include "lamina/ring/lossy.h"
#include "lamina/ring/timestamp.h"
#include "lamina/ring/wait_any.h"
#include "scene.h"

#include "prey.h"
#include "world.h"

#include <errno.h>
#include <string.h>

#define END_CODES EPIPE, ECANCELED, EOWNERDEAD, EPROTO, ESTALE, ENOTRECOVERABLE

/* Consumers of the ring for many are the last two. */
static uint32_t ring_of(uint32_t at)
{
    return at < SCENE_CONSUMERS - 2 ? 0 : 1;
}

static void attach(struct scene *scene, uint32_t at)
{
    struct scene_consumer *one = &scene->consumers[at];
    const char *after[2] = {scene_name(), scene_name()};
    struct lam_ring_consumer_options options = {.name = world_once_in(4) ? NULL : scene_name(),
        .start = (enum lam_ring_start)world_pick(3),
        .policy = world_once_in(2) ? LAM_RING_GATE : (enum lam_ring_policy)world_pick(3),
        .wait = (enum lam_wait_mode)world_pick(4),
        .after = after};
    struct lam_ring *ring = scene_side(scene, ring_of(at), SCENE_READER);
    struct lam_error error;

    if (ring == NULL)
        return;
    if (options.policy == LAM_RING_GATE_THEN_EVICT)
        options.patience_ns = world_pick(20 * LAM_NS_PER_MS) + 1;
    if (world_once_in(4)) {
        options.after_count = (uint32_t)(1 + world_pick(2));
        options.after_deadline_ns = world_soon();
    }
    one->is_there = CALL(lam_ring_consumer_attach(&one->consumer, ring, &options, &error), EINVAL,
                        EEXIST, ELOOP, ENOENT, EUSERS, EPROTO, ESTALE) == 0;
    one->merge = NULL;
}

void scene_leave_consumer(struct scene *scene, uint32_t at)
{
    struct scene_consumer *one = &scene->consumers[at];

    if (!one->is_there)
        return;
    if (one->merge != NULL)
        (void)CALL(lam_ring_merge_remove(one->merge, one->member), ESTALE);
    CALL_VOID(lam_ring_consumer_detach(&one->consumer));
    one->is_there = 0;
}

static int handle(void *context, const struct lam_event *event, int last)
{
    struct lam_event copy = *event;

    (void)context;
    (void)last;
    scene_read(event);
    (void)lam_event_strip(&copy);
    scene_read(&copy);
    return world_once_in(16);
}

/* An answer is -ESTALE or 0: taken out, join again in the same place. */
static void release(struct lam_ring_consumer *consumer, uint64_t end)
{
    (void)CALL(lam_ring_consumer_release_to(consumer, end), ESTALE);
}

static void readmit(struct lam_ring_consumer *consumer)
{
    struct lam_error error;
    uint64_t lost;

    (void)CALL(
        lam_ring_consumer_readmit(consumer, (enum lam_ring_start)world_pick(2), &lost, &error),
        EALREADY, EPROTO, ESTALE);
}

static void peek_some(struct lam_ring_consumer *consumer)
{
    struct lam_event event = {.payload = NULL};
    int64_t rc = 1;

    for (uint64_t left = 1 + world_pick(6); rc == 1 && left > 0; left--) {
        rc = CALL(lam_ring_consumer_try_peek(consumer, &event), END_CODES);
        if (rc != 1)
            break;
        scene_read(&event);
        (void)CALL(lam_ring_consumer_unwrap(consumer, &event), EPROTO);
        scene_read(&event);
        if (world_once_in(4))
            release(consumer, event.end);
    }
    if (rc == -ESTALE)
        readmit(consumer);
    else
        release(consumer, consumer->next);
}

static void wait_for_one(struct lam_ring_consumer *consumer)
{
    char name[LAM_RING_CONSUMER_NAME_MAX + 1];
    struct lam_event event = {.payload = NULL};

    if (world_once_in(4))
        (void)CALL(lam_ring_consumer_wait_until(consumer, world_soon()), END_CODES, ETIMEDOUT);
    if (CALL(lam_ring_consumer_peek_until(consumer, world_soon(), &event), END_CODES, ETIMEDOUT) ==
        0) {
        scene_read(&event);
        (void)CALL(lam_ring_consumer_unwrap(consumer, &event), EPROTO);
        scene_read(&event);
        release(consumer, consumer->next);
    }
    (void)CALL(lam_ring_consumer_leader(consumer, name), 0);
}

static void drain(struct lam_ring_consumer *consumer)
{
    struct lam_ring_drain options = {.handle = handle, .limit = world_pick(4)};
    int answer;

    (void)CALL(lam_ring_consumer_drain(consumer, &options, &answer), END_CODES);
}

static void read_lossy(struct lam_ring_consumer *consumer)
{
    static uint8_t buffer[1 << 15];
    struct lam_event event = {.payload = NULL};
    uint64_t capacity = world_once_in(4) ? world_pick(200) : sizeof(buffer);
    uint64_t lost;
    int64_t rc = world_once_in(3)
                     ? 1 + CALL(lam_ring_consumer_read_until(
                                    consumer, world_soon(), buffer, capacity, &event, &lost),
                               END_CODES, ETIMEDOUT, EOVERFLOW, EMSGSIZE)
                     : CALL(lam_ring_consumer_try_read(consumer, buffer, capacity, &event, &lost),
                           END_CODES, EOVERFLOW, EMSGSIZE);

    if (rc == 1)
        scene_read(&event);
    else if (world_once_in(4))
        (void)CALL(lam_ring_consumer_skip(consumer, &event, &lost), END_CODES, EOVERFLOW);
}

void scene_consume(struct scene *scene)
{
    uint32_t at = (uint32_t)world_pick(SCENE_CONSUMERS);
    struct scene_consumer *one = &scene->consumers[at];
    lam_atomic_u64 *counter;

    if (!one->is_there) {
        attach(scene, at);
        return;
    }
    if (world_once_in(40)) {
        scene_leave_consumer(scene, at);
        return;
    }
    if (one->merge != NULL)
        return;
    if (world_hostile != NULL && world_once_in(6))
        prey_forge(ring_of(at), one->consumer.next);
    if (one->consumer.policy == LAM_RING_LOSSY)
        read_lossy(&one->consumer);
    else if (world_once_in(5))
        drain(&one->consumer);
    else if (world_once_in(4))
        wait_for_one(&one->consumer);
    else
        peek_some(&one->consumer);
    if (world_once_in(16))
        (void)CALL(lam_ring_consumer_counter(&one->consumer, scene_name(), &counter), ENOSPC);
    prey_hint(one->consumer.next);
}

/* Several rings at once: add some, look, wait, let go. */
void scene_merge(struct scene *scene)
{
    struct lam_ring_merge *merge = &scene->merge;
    struct lam_ring_merge_options options = {
        .order = world_once_in(2) ? LAM_RING_MERGE_FAIR : LAM_RING_MERGE_BY_TIME,
        .batch = (uint32_t)world_pick(3)};
    struct lam_ring_consumer *all[SCENE_CONSUMERS];
    struct lam_event event = {.payload = NULL};
    uint32_t count = 0, index = UINT32_MAX;

    CALL_VOID(lam_ring_merge_init(merge, &options));
    for (uint32_t i = 0; i < SCENE_CONSUMERS; i++)
        if (scene->consumers[i].is_there)
            all[count++] = &scene->consumers[i].consumer;
    if (count != 0)
        (void)CALL(lam_ring_wait_any_until(all, count, world_soon(), &index), END_CODES, ETIMEDOUT);
    for (uint32_t i = 0; i < count; i++)
        (void)CALL(lam_ring_merge_add(merge, all[i], &index), EINVAL);
    for (uint64_t left = world_pick(12); left > 0; left--) {
        int64_t rc = world_once_in(3)
                         ? 1 + CALL(lam_ring_merge_peek_until(merge, world_soon(), &event, &index),
                                   END_CODES, ETIMEDOUT)
                         : CALL(lam_ring_merge_try_peek(merge, &event, &index), END_CODES);

        if (rc == 1)
            scene_read(&event);
        if (world_once_in(3))
            (void)CALL(lam_ring_merge_release(merge), ESTALE);
    }
    for (index = 0; index < SCENE_CONSUMERS; index++)
        (void)CALL(lam_ring_merge_remove(merge, index), EINVAL, ESTALE);
}

static void attach_member(struct scene *scene, struct scene_member *one)
{
    struct lam_ring_member_options options = {.group = world_once_in(4) ? "others" : "workers",
        .name = world_once_in(2) ? NULL : (one == &scene->members[0] ? "m0" : "m1"),
        .start = (enum lam_ring_start)world_pick(2),
        .events_max = (uint32_t)world_pick(4),
        .wait = (enum lam_wait_mode)world_pick(4)};
    struct lam_ring *ring = scene_side(scene, 0, SCENE_READER);
    struct lam_error error;

    if (ring != NULL)
        one->is_there = CALL(lam_ring_member_attach(&one->member, ring, &options, &error), EEXIST,
                            EUSERS, EPROTO, ESTALE, EBUSY) == 0;
}

void scene_leave_member(struct scene *scene, uint32_t at)
{
    if (scene->members[at].is_there)
        CALL_VOID(lam_ring_member_detach(&scene->members[at].member));
    scene->members[at].is_there = 0;
}

#define MEMBER_CODES EPIPE, ECANCELED, EOWNERDEAD, ESTALE, EPROTO, ENOTRECOVERABLE

void scene_share(struct scene *scene)
{
    uint32_t at = (uint32_t)world_pick(SCENE_MEMBERS);
    struct lam_ring_member *member = &scene->members[at].member;
    struct lam_event event = {.payload = NULL};
    int64_t rc = 1;

    if (!scene->members[at].is_there) {
        attach_member(scene, &scene->members[at]);
        return;
    }
    if (world_once_in(20)) {
        scene_leave_member(scene, at);
        return;
    }
    for (uint32_t left = member->events_max; rc == 1 && left > 0; left--) {
        rc = world_once_in(3) ? 1 + CALL(lam_ring_member_peek_until(member, world_soon(), &event),
                                        MEMBER_CODES, ETIMEDOUT)
                              : CALL(lam_ring_member_try_peek(member, &event), MEMBER_CODES);
        if (rc == 1)
            scene_read(&event);
        if (rc == 1 && member->at == member->end)
            break; /* the next look takes more, and these are to be released before */
    }
    if (!world_once_in(8) || member->at == member->end)
        CALL_VOID(lam_ring_member_release(member));
}
