/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: what a dead member had is handed on and what it only wanted is not; groups without live
 * members, and with impossible words, hold nobody. Method: as in test_group.c; a death is what the
 * kernel does at one, and what another process could write is written into control.
 */
#include "layout.h"
#include "members.h"

TestSuite(group_death, .timeout = 20);

Test(group_death, what_a_dead_member_had_is_handed_on_even_twice)
{
    FOR_EACH_START(i)
    {
        struct lam_ring_member a, b, c;

        open_ring(starts[i]);
        join(&a, 2);
        join(&b, 1);
        join(&c, 1);
        for (uint64_t value = 0; value < 3; value++)
            cr_assert(eq(int, publish_value(value, 8), 1));
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
            cr_assert(eq(int, publish_value((uint64_t)value, 8), 1));
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

Test(group_death, what_a_dead_member_only_wanted_is_not_seen_twice)
{
    FOR_EACH_START(i)
    {
        struct lam_ring_member a, b;

        open_ring(starts[i]);
        join(&a, 1);
        join(&b, 1);
        cr_assert(eq(int, publish_value(0, 8), 1));
        cr_assert(eq(int, publish_value(1, 8), 1));
        announce_and_die(&a, test_start_from(starts[i]), test_start_from(starts[i]) + 1);
        cr_assert(eq(i64, take(&b), 0));
        cr_assert(eq(i64, take(&b), 1));
        for (int64_t value = 0; value < 2 * DEPTH; value++) {
            while (publish_value((uint64_t)value, 8) == 0)
                cr_assert(eq(i64, take(&b), NOTHING)); /* until its hold is seen to be none */
            cr_assert(eq(i64, take(&b), value));
        }
        lam_ring_member_detach(&b);
        close_ring();
    }
}

Test(group_death, a_claim_that_its_winner_did_not_live_to_note_counts)
{
    FOR_EACH_START(i)
    {
        struct lam_ring_member a, b;
        struct lam_ring_entry *entry;

        open_ring(starts[i]);
        join(&a, 1);
        join(&b, 1);
        for (uint64_t value = 0; value < 3; value++)
            cr_assert(eq(int, publish_value(value, 8), 1));
        cr_assert(eq(i64, peek(&a), 0));
        entry = &ring.control_head->entries[a.consumer.index];
        lam_store_relaxed(&entry->confirmed, test_start_from(starts[i])); /* as before its claim */
        die(&a);
        cr_assert(eq(i64, take(&b), 1)); /* says so for it */
        cr_assert(eq(u64, lam_load_relaxed(&entry->confirmed), test_start_from(starts[i]) + 1));
        cr_assert(eq(i64, take(&b), 2));
        cr_assert(eq(i64, peek_soon(&b), 0));
        lam_ring_member_release(&b);
        lam_ring_member_detach(&b);
        close_ring();
    }
}

Test(group_death, a_group_whose_members_all_died_goes_on_or_is_given_up)
{
    struct lam_ring_member a, b;
    uint64_t published = 0;

    open_ring(0);
    join(&a, 2);
    for (; published < 4; published++)
        cr_assert(eq(int, publish_value(published, 8), 1));
    cr_assert(eq(i64, peek(&a), 0));
    die(&a);
    join(&b, 2); /* goes on where it stopped */
    cr_assert(eq(i64, peek(&b), 2));
    lam_ring_member_release(&b);
    cr_assert(eq(i64, take(&b), 3));
    cr_assert(eq(i64, peek_soon(&b), 0));
    die(&b);
    for (; published < 3 * DEPTH; published++) { /* nobody is left: the producer goes on */
        while (publish_value(published, 8) == 0)
            ;
    }
    cr_assert(ge(u64, lam_load_relaxed(&ring.control_head->reaped), 1));
    join(&a, 1);
    cr_assert(eq(i64, take(&a), NOTHING));
    cr_assert(eq(int, publish_value(published, 8), 1));
    cr_assert(eq(i64, take(&a), (int64_t)published));
    lam_ring_member_detach(&a);
    close_ring();
}

Test(group_death, a_producer_that_died_is_told)
{
    struct lam_ring_member a;
    struct lam_event event = {.payload = NULL};

    open_ring(0);
    join(&a, 1);
    cr_assert(eq(int, publish_value(7, 8), 1));
    lam_ring_producer_detach(&producer);
    cr_assert(eq(i64, take(&a), 7));
    cr_assert(
        eq(int, lam_ring_member_peek_until(&a, lam_deadline_after_ns(10 * LAM_NS_PER_S), &event),
            -EOWNERDEAD));
    cr_assert(eq(int, lam_ring_producer_attach(&producer, &ring, NULL, &error), 0));
    cr_assert(eq(int, publish_value(8, 8), 1));
    cr_assert(eq(i64, take(&a), 8));
    lam_ring_member_detach(&a);
    close_ring();
}

Test(group_death, impossible_words_are_found_out)
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
        cr_assert(eq(int, publish_value(value, 8), 1));
    cr_assert(eq(i64, peek(&a), -ESTALE));
    cr_assert(eq(u64, lam_load_relaxed(&ring.control_head->expelled), 1));
    lam_ring_member_detach(&b);
    lam_ring_member_detach(&a);
    join(&a, 1); /* a new one by that name */
    cr_assert(eq(int, publish_value(5, 8), 1));
    cr_assert(eq(i64, take(&a), 5));
    lam_ring_member_detach(&a);
    close_ring();
}
