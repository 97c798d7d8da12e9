/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TEST_MODEL_RING_WORLD_H
#define TEST_MODEL_RING_WORLD_H

/*
 * A tiny ring for scenarios: made and joined by the shipped code in set-up, put back as it was
 * before each schedule.
 */

#include "lamina/ring/consumer.h"
#include "lamina/ring/group.h"
#include "lamina/ring/lossy.h"
#include "lamina/ring/many.h"
#include "lamina/ring/producer.h"
#include "model.h"

#define WORLD_WORDS_MAX 512 /* of a payload */

struct world {
    struct lam_ring ring;
    struct lam_ring_producer producers[2];
    struct lam_ring_many_producer many[3];
    struct lam_ring_consumer consumers[3];
    struct lam_ring_member members[2];
    struct lam_event borrowed; /* in set-up */
    uint64_t notes[8];         /* for finally */
};

extern struct world world;

/* A ring of @depth cells, 2 to 32 or 256, whose first event has the sequence @first. */
void world_begin(uint64_t depth, enum lam_ring_waiting waiting, uint64_t first);

/* The same for many producers. */
void world_begin_many(uint64_t depth, enum lam_ring_waiting waiting, uint64_t first);

/* In set-up: ends that have joined when a schedule begins. They die with @thread. */
void world_add_producer(uint32_t index, uint32_t thread);
void world_add_many(uint32_t index, uint32_t thread); /* one of many producers */
void world_add_consumer(uint32_t index, uint32_t thread, const struct lam_ring_consumer_options *);

/* Call when all is set up. */
void world_ready(void);

/* Sleep at once, or spin by pauses: no scenario waits for a clock. */
void world_tame_consumer(struct lam_ring_consumer *consumer);
void world_tame_producer(struct lam_ring_producer *producer);

/*
 * An event that fills @cell_count cells; @number says what is in it. Words that lie where a stamp
 * would hold what the stamp would be, of this lap and of the next ones.
 */
uint64_t world_payload_bytes(uint64_t cell_count);
void world_write(const struct lam_ring *ring, void *payload, uint64_t sequence, uint64_t cell_count,
    uint64_t number);

/* Wait for room by pauses, write, commit. */
void world_publish(struct lam_ring_producer *producer, uint64_t cell_count, uint64_t number);

/* The same, looking each time whether who holds the ring is alive, and for how long it may. */
void world_publish_looking(
    struct lam_ring_producer *producer, uint64_t cell_count, uint64_t number);

/* The same by one of many; and its second half, for what was claimed before. */
void world_publish_many(
    struct lam_ring_many_producer *producer, uint64_t cell_count, uint64_t number);
void world_commit_many(struct lam_ring_many_producer *producer, void *payload, uint64_t number);

/* Commit, without a wait and without a word: only the kind has the number. */
void world_publish_bare(struct lam_ring_producer *producer, uint64_t cell_count, uint64_t number);

/* The number of the event, all of whose words are of that one event; or the schedule fails. */
uint64_t world_check(const struct lam_ring *ring, const struct lam_event *event);

/* The same of an event that may have been overwritten meanwhile: 0 then. */
uint64_t world_check_racing(const struct lam_ring *ring, const struct lam_event *event);

/* The same of a copy of the caller's own, that nobody else touches. */
uint64_t world_check_copy(const struct lam_ring *ring, const struct lam_event *event);

/* Wait for the next event by pauses, and peek. It comes, or the schedule fails. */
void world_next(struct lam_ring_consumer *consumer, struct lam_event *event);

/* Peek by pauses. Returns as lam_ring_consumer_try_peek(), never 0. */
int world_peek(struct lam_ring_consumer *consumer, struct lam_event *event);

/* The same, looking each time whether who might publish is alive. */
int world_peek_looking(struct lam_ring_consumer *consumer, struct lam_event *event);

#endif
