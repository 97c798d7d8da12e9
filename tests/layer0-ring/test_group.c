/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: every answer of a group's calls: whom it holds back and when not, what becomes of events
 * that a member leaves or dies with, and of groups without members or with impossible words.
 * Method: members of one process on an anonymous ring of few cells, sequences near the wraps.
 * Streams, threads and kill -9 are stress_group.c's.
 */
#include "lamina/ring/group.h"
#include "lamina/ring/producer.h"
#include "lamina/ring/progress.h"
#include "lamina/ring/stat.h"
#include "layout.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define DEPTH   16
#define NOTHING (-1000)

static const uint64_t starts[] = {
    0, (UINT64_C(1) << 32) - 3, (UINT64_C(1) << 63) - 3, UINT64_MAX - 2};

#define FOR_EACH_START(i) for (unsigned i = 0; i < 4; i++)

static struct lam_ring ring;
static struct lam_ring_producer producer;
static struct lam_error error;

static void open_ring(uint64_t first_sequence)
{
    struct lam_ring_options options = {
        .name = "group", .depth = DEPTH, .first_sequence = first_sequence};

    cr_assert(eq(int, lam_ring_create(&ring, &options, &error), 0), "%s", error.text);
    cr_assert(eq(int, lam_ring_producer_attach(&producer, &ring, NULL, &error), 0));
}

static void close_ring(void)
{
    lam_ring_producer_detach(&producer);
    (void)lam_ring_destroy(&ring);
}

TestSuite(group, .timeout = 20);

static void join(struct lam_ring_member *member, uint32_t events_max)
{
    struct lam_ring_member_options options = {.group = "workers", .events_max = events_max};

    cr_assert(
        eq(int, lam_ring_member_attach(member, &ring, &options, &error), 0), "%s", error.text);
}

static int publish(uint64_t value, uint64_t bytes)
{
    void *payload = NULL;
    int rc = lam_ring_producer_try_claim(&producer, bytes, &payload);

    if (rc == 1) {
        memcpy(payload, &value, sizeof(value));
        lam_ring_producer_commit(&producer, bytes, 1, 0);
    }
    return rc;
}

/* The value of the next event, which stays borrowed; or what the peek returned if not 1. */
static int64_t peek(struct lam_ring_member *member)
{
    struct lam_event event = {.payload = NULL};
    int rc = lam_ring_member_try_peek(member, &event);
    uint64_t value = 0;

    if (rc != 1)
        return rc == 0 ? NOTHING : rc;
    memcpy(&value, event.payload, sizeof(value));
    return (int64_t)value;
}

static int64_t take(struct lam_ring_member *member)
{
    int64_t value = peek(member);

    lam_ring_member_release(member);
    return value;
}

/* As the kernel does when its owner dies. */
static void die(struct lam_ring_member *member)
{
    lam_lock_drop(&member->consumer.lock);
    lam_lock_drop(&member->heir);
}

/* What others had is found every 8 ms. */
static int64_t peek_soon(struct lam_ring_member *member)
{
    uint64_t deadline_ns = lam_deadline_after_ns(10 * LAM_NS_PER_S);
    int64_t value;

    do {
        value = peek(member);
    } while (value == NOTHING && lam_clock_now_ns() < deadline_ns);
    return value;
}

Test(group, whoever_is_free_takes_the_next)
{
    FOR_EACH_START(i)
    {
        struct lam_ring_member a, b;

        open_ring(starts[i]);
        join(&a, 1);
        join(&b, 1);
        for (int64_t value = 0; value < 60; value += 3) {
            for (int64_t j = 0; j < 3; j++)
                cr_assert(eq(int, publish((uint64_t)(value + j), j == 1 ? 200 : 8), 1));
            cr_assert(eq(i64, peek(&a), value));
            cr_assert(eq(i64, take(&b), value + 1));
            cr_assert(eq(i64, take(&b), value + 2)); /* a is busy */
            cr_assert(eq(i64, take(&b), NOTHING));
            lam_ring_member_release(&a);
            cr_assert(eq(i64, take(&a), NOTHING));
        }
        lam_ring_member_detach(&b);
        lam_ring_member_detach(&a);
        close_ring();
    }
}

Test(group, several_are_taken_at_once_and_released_one_by_one)
{
    struct lam_ring_member a, b;

    open_ring(UINT64_MAX - 2);
    join(&a, 3);
    join(&b, 3);
    for (uint64_t value = 0; value < 8; value++)
        cr_assert(eq(int, publish(value, 8), 1));
    cr_assert(eq(i64, take(&a), 0));
    cr_assert(eq(i64, take(&b), 3));
    cr_assert(eq(i64, take(&a), 1));
    cr_assert(eq(i64, peek(&a), 2));
    cr_assert(eq(i64, peek(&b), 4));
    cr_assert(eq(i64, peek(&b), 5));
    lam_ring_member_release(&b);
    cr_assert(eq(i64, take(&b), 6));
    lam_ring_member_release(&a);
    cr_assert(eq(i64, take(&a), NOTHING));
    cr_assert(eq(i64, take(&b), 7));
    lam_ring_member_detach(&b);
    lam_ring_member_detach(&a);
    close_ring();
}

Test(group, it_holds_the_producer_by_what_is_not_taken_and_not_released)
{
    FOR_EACH_START(i)
    {
        struct lam_ring_member a, b, idle;
        struct lam_ring_blocker blocker;
        int64_t value = 0;

        open_ring(starts[i]);
        join(&idle, 1);
        join(&a, 1);
        join(&b, 1);
        while (publish((uint64_t)value, 8) == 1)
            value++;
        cr_assert(eq(i64, value, DEPTH - 1));
        cr_assert(eq(int, lam_ring_producer_blocker(&producer, &blocker), 1));
        cr_assert(eq(str, blocker.name, (char *)"workers")); /* nobody takes them */
        cr_assert(ge(u32, blocker.index, LAM_RING_CONSUMER_COUNT_MAX));
        cr_assert(eq(i64, peek(&a), 0));
        for (int64_t j = 1; j < value; j++)
            cr_assert(eq(i64, take(&b), j));
        cr_assert(eq(int, publish(99, 8), 0)); /* all but the first are released */
        cr_assert(eq(int, lam_ring_producer_blocker(&producer, &blocker), 1));
        cr_assert(eq(u32, blocker.index, a.consumer.index));
        lam_ring_member_release(&a);
        for (int64_t j = 0; j < 100; j++) { /* whoever is idle holds nobody */
            cr_assert(eq(int, publish((uint64_t)j, 8), 1));
            cr_assert(eq(i64, take(&a), j));
        }
        lam_ring_member_detach(&idle);
        lam_ring_member_detach(&b);
        lam_ring_member_detach(&a);
        close_ring();
    }
}

Test(group, it_starts_where_its_first_member_says)
{
    struct lam_ring_member a, b;
    struct lam_ring_member_options options = {.group = "all", .start = LAM_RING_OLDEST};

    open_ring(0);
    for (uint64_t value = 0; value < 5; value++)
        cr_assert(eq(int, publish(value, 8), 1));
    cr_assert(eq(int, lam_ring_member_attach(&a, &ring, &options, &error), 0));
    cr_assert(eq(i64, take(&a), 0));
    options.start = LAM_RING_HEAD;
    cr_assert(eq(int, lam_ring_member_attach(&b, &ring, &options, &error), 0));
    cr_assert(eq(i64, take(&b), 1));
    lam_ring_member_detach(&b);
    lam_ring_member_detach(&a);
    cr_assert(eq(int, lam_ring_member_attach(&b, &ring, &options, &error), 0));
    cr_assert(eq(i64, take(&b), NOTHING)); /* another group by that name, at the head */
    lam_ring_member_detach(&b);
    close_ring();
}

Test(group, what_a_member_leaves_goes_to_another)
{
    struct lam_ring_member a, b;

    open_ring(UINT64_MAX - 2);
    join(&a, 4);
    join(&b, 1);
    for (uint64_t value = 0; value < 5; value++)
        cr_assert(eq(int, publish(value, 8), 1));
    cr_assert(eq(i64, take(&a), 0));
    cr_assert(eq(i64, peek(&a), 1));
    lam_ring_member_detach(&a);
    cr_assert(eq(i64, take(&b), 4));
    for (int64_t value = 1; value < 4; value++) {
        cr_assert(eq(i64, peek_soon(&b), value));
        lam_ring_member_release(&b);
    }
    cr_assert(eq(i64, take(&b), NOTHING));
    for (int64_t value = 0; value < 2 * DEPTH; value++) { /* nothing of it holds any longer */
        cr_assert(eq(int, publish((uint64_t)value, 8), 1));
        cr_assert(eq(i64, take(&b), value));
    }
    lam_ring_member_detach(&b);
    close_ring();
}

Test(group, what_a_dead_member_had_is_handed_on_even_twice)
{
    FOR_EACH_START(i)
    {
        struct lam_ring_member a, b, c;

        open_ring(starts[i]);
        join(&a, 2);
        join(&b, 1);
        join(&c, 1);
        for (uint64_t value = 0; value < 3; value++)
            cr_assert(eq(int, publish(value, 8), 1));
        cr_assert(eq(i64, peek(&a), 0));
        die(&a);
        cr_assert(eq(i64, take(&b), 2));
        cr_assert(eq(i64, peek_soon(&b), 0));
        die(&b); /* with what it had taken over */
        cr_assert(eq(i64, peek_soon(&c), 0));
        lam_ring_member_release(&c);
        cr_assert(eq(i64, take(&c), 1));
        cr_assert(eq(i64, take(&c), NOTHING));
        for (int64_t value = 0; value < 2 * DEPTH; value++) {
            cr_assert(eq(int, publish((uint64_t)value, 8), 1));
            cr_assert(eq(i64, take(&c), value));
        }
        lam_ring_member_detach(&c);
        close_ring();
    }
}

/* A member that died between announcing and taking, and was not the one to take. */
static void announce_and_die(struct lam_ring_member *member, uint64_t at, uint64_t end)
{
    struct lam_ring_entry *entry = &ring.control_head->entries[member->consumer.index];

    lam_store_relaxed(&entry->cursor, at);
    lam_store_relaxed(&entry->hold_end, end);
    lam_store_relaxed(&entry->holds, 1);
    die(member);
}

Test(group, what_a_dead_member_only_wanted_is_not_seen_twice)
{
    FOR_EACH_START(i)
    {
        struct lam_ring_member a, b;

        open_ring(starts[i]);
        join(&a, 1);
        join(&b, 1);
        cr_assert(eq(int, publish(0, 8), 1));
        cr_assert(eq(int, publish(1, 8), 1));
        announce_and_die(&a, starts[i], starts[i] + 1);
        cr_assert(eq(i64, take(&b), 0));
        cr_assert(eq(i64, take(&b), 1));
        for (int64_t value = 0; value < 2 * DEPTH; value++) {
            while (publish((uint64_t)value, 8) == 0)
                cr_assert(eq(i64, take(&b), NOTHING)); /* until its hold is seen to be none */
            cr_assert(eq(i64, take(&b), value));
        }
        lam_ring_member_detach(&b);
        close_ring();
    }
}

Test(group, a_claim_that_its_winner_did_not_live_to_note_counts)
{
    FOR_EACH_START(i)
    {
        struct lam_ring_member a, b;
        struct lam_ring_entry *entry;

        open_ring(starts[i]);
        join(&a, 1);
        join(&b, 1);
        for (uint64_t value = 0; value < 3; value++)
            cr_assert(eq(int, publish(value, 8), 1));
        cr_assert(eq(i64, peek(&a), 0));
        entry = &ring.control_head->entries[a.consumer.index];
        lam_store_relaxed(&entry->confirmed, starts[i]); /* as before its claim */
        die(&a);
        cr_assert(eq(i64, take(&b), 1)); /* says so for it */
        cr_assert(eq(u64, lam_load_relaxed(&entry->confirmed), starts[i] + 1));
        cr_assert(eq(i64, take(&b), 2));
        cr_assert(eq(i64, peek_soon(&b), 0));
        lam_ring_member_release(&b);
        lam_ring_member_detach(&b);
        close_ring();
    }
}

Test(group, a_group_whose_members_all_died_goes_on_or_is_given_up)
{
    struct lam_ring_member a, b;
    uint64_t published = 0;

    open_ring(0);
    join(&a, 2);
    for (; published < 4; published++)
        cr_assert(eq(int, publish(published, 8), 1));
    cr_assert(eq(i64, peek(&a), 0));
    die(&a);
    join(&b, 2); /* goes on where it stopped */
    cr_assert(eq(i64, peek(&b), 2));
    lam_ring_member_release(&b);
    cr_assert(eq(i64, take(&b), 3));
    cr_assert(eq(i64, peek_soon(&b), 0));
    die(&b);
    for (; published < 3 * DEPTH; published++) { /* nobody is left: the producer goes on */
        while (publish(published, 8) == 0)
            ;
    }
    cr_assert(ge(u64, lam_load_relaxed(&ring.control_head->reaped), 1));
    join(&a, 1);
    cr_assert(eq(i64, take(&a), NOTHING));
    cr_assert(eq(int, publish(published, 8), 1));
    cr_assert(eq(i64, take(&a), (int64_t)published));
    lam_ring_member_detach(&a);
    close_ring();
}

Test(group, the_end_comes_when_nobody_holds_anything)
{
    struct lam_ring_member a, b;
    struct lam_event event = {.payload = NULL};

    open_ring(0);
    join(&a, 1);
    join(&b, 1);
    cr_assert(eq(int, publish(7, 8), 1));
    lam_ring_producer_close(&producer);
    cr_assert(eq(i64, peek(&a), 7));
    cr_assert(eq(i64, peek(&b), NOTHING));
    cr_assert(
        eq(int, lam_ring_member_peek_until(&b, lam_deadline_after_ns(5 * LAM_NS_PER_MS), &event),
            -ETIMEDOUT));
    die(&a);
    cr_assert(eq(
        int, lam_ring_member_peek_until(&b, lam_deadline_after_ns(10 * LAM_NS_PER_S), &event), 0));
    lam_ring_member_release(&b);
    cr_assert(eq(i64, peek(&b), -EPIPE));
    lam_ring_member_detach(&b);
    close_ring();
}

Test(group, a_producer_that_died_is_told)
{
    struct lam_ring_member a;
    struct lam_event event = {.payload = NULL};

    open_ring(0);
    join(&a, 1);
    cr_assert(eq(int, publish(7, 8), 1));
    lam_ring_producer_detach(&producer);
    cr_assert(eq(i64, take(&a), 7));
    cr_assert(
        eq(int, lam_ring_member_peek_until(&a, lam_deadline_after_ns(10 * LAM_NS_PER_S), &event),
            -EOWNERDEAD));
    cr_assert(eq(int, lam_ring_producer_attach(&producer, &ring, NULL, &error), 0));
    cr_assert(eq(int, publish(8, 8), 1));
    cr_assert(eq(i64, take(&a), 8));
    lam_ring_member_detach(&a);
    close_ring();
}

Test(group, impossible_words_are_found_out)
{
    struct lam_ring_member a, b;
    lam_atomic_u64 *claim;
    uint64_t word;

    open_ring(0);
    join(&a, 1);
    join(&b, 1);
    claim = &ring.control_head->groups[a.group].claim;
    word = lam_load_relaxed(claim);
    for (uint64_t junk = 1; junk != 0; junk <<= 1) { /* nobody crashes or loops */
        lam_store_relaxed(claim, word ^ junk);
        (void)take(&a);
        lam_store_relaxed(claim, word);
    }
    lam_store_relaxed(claim, (uint64_t)1000 << 6); /* beyond the head */
    for (uint64_t value = 0; value < 3 * DEPTH; value++)
        cr_assert(eq(int, publish(value, 8), 1));
    cr_assert(eq(i64, peek(&a), -ESTALE));
    cr_assert(eq(u64, lam_load_relaxed(&ring.control_head->expelled), 1));
    lam_ring_member_detach(&b);
    lam_ring_member_detach(&a);
    join(&a, 1); /* a new one by that name */
    cr_assert(eq(int, publish(5, 8), 1));
    cr_assert(eq(i64, take(&a), 5));
    lam_ring_member_detach(&a);
    close_ring();
}

Test(group, options_out_of_range_are_named)
{
    struct lam_ring_member members[LAM_RING_GROUP_COUNT_MAX + 1];
    struct lam_ring_member_options options = {.group = ""};
    char name[16];

    open_ring(0);
    cr_assert(eq(int, lam_ring_member_attach(&members[0], &ring, &options, &error), -EINVAL));
    lam_ring_member_detach(&members[0]); /* of one that did not join */
    options.group = "g";
    options.start = (enum lam_ring_start)2;
    cr_assert(eq(int, lam_ring_member_attach(&members[0], &ring, &options, &error), -EINVAL));
    options.start = LAM_RING_HEAD;
    for (int i = 0; i <= LAM_RING_GROUP_COUNT_MAX; i++) {
        (void)snprintf(name, sizeof(name), "group%d", i);
        options.group = name;
        cr_assert(eq(int, lam_ring_member_attach(&members[i], &ring, &options, &error),
            i < LAM_RING_GROUP_COUNT_MAX ? 0 : -EUSERS));
    }
    for (int i = 0; i < LAM_RING_GROUP_COUNT_MAX; i++)
        lam_ring_member_detach(&members[i]);
    close_ring();
}

Test(group, members_are_counted_and_shown)
{
    static struct lam_ring_stat stat;
    struct lam_ring_member a, b;

    open_ring(0);
    join(&a, 1);
    join(&b, 1);
    cr_assert(eq(int, lam_ring_producer_wait_consumers_until(&producer, 2, 0), 0));
    for (uint64_t value = 0; value < 3; value++)
        cr_assert(eq(int, publish(value, 8), 1));
    cr_assert(eq(i64, peek(&a), 0));
    cr_assert(eq(i64, take(&b), 1));
    cr_assert(eq(int, lam_ring_stat_read(&ring, &stat), 0));
    cr_assert(eq(u32, stat.consumer_count, 2));
    cr_assert(eq(u64, stat.consumers[0].lag_cells, 3)); /* by what it holds */
    cr_assert(eq(u64, stat.consumers[1].lag_cells, 1)); /* by what nobody has taken */
    lam_ring_member_detach(&b);
    lam_ring_member_detach(&a);
    close_ring();
}
