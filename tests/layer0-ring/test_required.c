/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: a producer that cannot do without some consumers learns in time who is missing, stalled or
 * dead, loses nothing of theirs, and raises no alarm for an idle one. Method: consumers of this
 * process and a clock that the test moves, so that every moment can be chosen.
 */
#include "required_clock.h"

TestSuite(required, .init = setup, .fini = teardown, .timeout = 60);

static int fill_by_batches(void)
{
    int rc = 1;
    void *payload = NULL;

    while ((rc = lam_ring_producer_try_claim_batch(&producer, 2, &batch)) == 1) {
        for (int i = 0; i < 2; i++) {
            (void)lam_ring_batch_stage(&batch, sizeof(published), 1, 0, &payload);
            memcpy(payload, &published, sizeof(published));
            published++;
        }
        lam_ring_batch_commit(&batch);
    }
    return rc;
}

static void never_appears(int (*publish_all)(void))
{
    struct lam_ring_consumer late;
    uint64_t in_ring;

    require(1, LAM_RING_FAIL_CALL);
    cr_assert(eq(int, publish_all(), 0));
    in_ring = published;
    cr_assert(le(u64, in_ring, DEPTH - 1));
    now_ns += STARTUP_NS - 1;
    cr_assert(eq(int, lam_ring_producer_check(&producer), 0));
    now_ns += 1;
    cr_assert(eq(int, lam_ring_producer_check(&producer), 1));
    cr_assert(eq(u32, alerts.raised, 1));
    cr_assert(eq(int, (int)alerts.last.alarm, LAM_RING_ALARM_MISSING));
    cr_assert(eq(str, alerts.name, "a"));
    cr_assert(eq(u64, alerts.last.lasted_ns, STARTUP_NS));
    now_ns += GRACE_NS;
    cr_assert(eq(int, lam_ring_producer_check(&producer), -ECANCELED));
    for (int i = 0; i < 64 && publish_all() == 0; i++)
        continue;
    cr_assert(eq(int, publish_all(), -ECANCELED), "a claim fails, too, and goes on failing");
    /* It comes at last, and has everything from the first event. */
    cr_assert(eq(int, join(&late, "a", LAM_RING_RESUME), 0));
    cr_assert(eq(int, lam_ring_producer_check(&producer), 0));
    cr_assert(eq(u32, alerts.over, 1));
    for (uint64_t n = 0; n < in_ring; n++)
        cr_assert(eq(u64, take_one(&late), n));
    cr_assert(eq(int, publish_all(), 0));
    cr_assert(lt(u64, in_ring, published));
    lam_ring_consumer_detach(&late);
}

static int fill_spinning(void)
{
    int rc = 0;

    for (int i = 0; i < 65 && rc == 0; i++)
        rc = fill();
    return rc;
}

static int fill_by_batches_spinning(void)
{
    int rc = 0;

    for (int i = 0; i < 65 && rc == 0; i++)
        rc = fill_by_batches();
    return rc;
}

Test(required, one_that_never_appears_is_named_and_nothing_is_overwritten)
{
    never_appears(fill_spinning);
}

Test(required, one_that_never_appears_is_named_to_a_producer_of_batches)
{
    never_appears(fill_by_batches_spinning);
}

Test(required, a_wrong_name_does_not_stand_in)
{
    struct lam_ring_consumer wrong;

    require(1, LAM_RING_FAIL_CALL);
    cr_assert(eq(int, join(&wrong, "A", LAM_RING_OLDEST), 0));
    cr_assert(eq(int, fill(), 0));
    while (take_one(&wrong) != UINT64_MAX)
        continue;
    cr_assert(eq(int, fill(), 0), "it is held for the right one");
    cr_assert(le(u64, published, DEPTH));
    now_ns += STARTUP_NS;
    cr_assert(eq(int, lam_ring_producer_check(&producer), 1));
    cr_assert(eq(str, alerts.name, "a"));
    lam_ring_consumer_detach(&wrong);
}

Test(required, a_lossy_one_does_not_stand_in)
{
    struct lam_ring_consumer_options options = {.name = "a", .policy = LAM_RING_LOSSY};
    struct lam_ring_consumer lossy;

    require(1, LAM_RING_FAIL_CALL);
    cr_assert(eq(int, lam_ring_consumer_attach(&lossy, &ring, &options, &error), 0));
    now_ns += STARTUP_NS;
    cr_assert(eq(int, lam_ring_producer_check(&producer), 1));
    lam_ring_consumer_detach(&lossy);
}

Test(required, a_claim_that_comes_to_its_deadline_late_says_that_it_failed)
{
    const struct lam_ring_producer_options at_once = {.wait = LAM_WAIT_FUTEX};
    struct lam_ring_consumer one;
    void *payload = NULL;

    lam_ring_producer_detach(&producer);
    cr_assert(eq(int, lam_ring_producer_attach(&producer, &ring, &at_once, &error), 0));
    cr_assert(eq(int, join(&one, "a", LAM_RING_OLDEST), 0));
    require(1, LAM_RING_FAIL_CALL);
    cr_assert(eq(int, fill(), 0));
    cr_assert(eq(int, lam_ring_producer_check(&producer), 0));
    now_ns += PROGRESS_NS;
    cr_assert(eq(int, lam_ring_producer_check(&producer), 1));
    now_ns += GRACE_NS;
    /* It was kept off its CPU: its deadline has passed before it looked once. */
    cr_assert(
        eq(int, lam_ring_producer_claim_until(&producer, 8, now_ns - 1, &payload), -ECANCELED));
    lam_ring_consumer_detach(&one);
}

Test(required, one_that_stalls_raises_one_alarm_and_one_that_goes_on_ends_it)
{
    struct lam_ring_consumer one;
    struct lam_ring_stat stat;

    cr_assert(eq(int, join(&one, "a", LAM_RING_OLDEST), 0));
    require(1, LAM_RING_FAIL_CALL);
    cr_assert(eq(int, fill(), 0)); /* looks, and starts its clock */
    now_ns += PROGRESS_NS - 1;
    cr_assert(eq(int, lam_ring_producer_check(&producer), 0));
    now_ns += 1;
    for (int i = 0; i < 5; i++)
        cr_assert(eq(int, lam_ring_producer_check(&producer), 1));
    cr_assert(eq(u32, alerts.raised, 1));
    cr_assert(eq(int, (int)alerts.last.alarm, LAM_RING_ALARM_STALLED));
    cr_assert(eq(u64, alerts.last.cursor, test_start_from(UINT64_MAX - 2)));
    cr_assert(eq(u64, alerts.last.lasted_ns, PROGRESS_NS));
    cr_assert(eq(u64, take_one(&one), 0));
    cr_assert(eq(int, lam_ring_producer_check(&producer), 0));
    cr_assert(eq(u32, alerts.over, 1));
    cr_assert(eq(int, alerts.last.is_over, 1));
    cr_assert(eq(int, lam_ring_stat_read(&ring, &stat), 0));
    cr_assert(eq(u64, stat.alarms, 1));
    cr_assert(eq(u64, stat.recoveries, 1));
    cr_assert(eq(u32, stat.consumers[0].required, 1));
    /* It stalls again: that is another alarm, after another time. */
    now_ns += PROGRESS_NS - 1;
    cr_assert(eq(int, lam_ring_producer_check(&producer), 0));
    now_ns += 1;
    cr_assert(eq(int, lam_ring_producer_check(&producer), 1));
    now_ns += GRACE_NS;
    cr_assert(eq(int, lam_ring_producer_check(&producer), -ECANCELED));
    cr_assert(eq(u64, take_one(&one), 1));
    cr_assert(eq(int, lam_ring_producer_check(&producer), 0));
    cr_assert(eq(int, publish(), 1));
    lam_ring_consumer_detach(&one);
}

Test(required, an_idle_one_raises_no_alarm_nor_does_a_burst_after_it)
{
    struct lam_ring_consumer one;

    cr_assert(eq(int, join(&one, "a", LAM_RING_OLDEST), 0));
    require(1, LAM_RING_FAIL_RING);
    for (int round = 0; round < 5; round++) {
        while (take_one(&one) != UINT64_MAX)
            continue;
        /* With looks in between, and without. */
        for (int look = 0; look < round % 2 * 10; look++) {
            now_ns += PROGRESS_NS;
            cr_assert(eq(int, lam_ring_producer_check(&producer), 0));
        }
        now_ns += 10 * GRACE_NS;
        cr_assert(eq(int, fill(), 0));
        cr_assert(eq(int, lam_ring_producer_check(&producer), 0));
        now_ns += PROGRESS_NS - 1;
        cr_assert(eq(int, lam_ring_producer_check(&producer), 0));
    }
    cr_assert(eq(u32, alerts.raised, 0));
    lam_ring_consumer_detach(&one);
}

Test(required, one_that_detaches_keeps_its_place_for_its_successor)
{
    struct lam_ring_consumer one, again;
    uint64_t lost = 9, end_ns;

    cr_assert(eq(int, join(&one, "a", LAM_RING_OLDEST), 0));
    require(1, LAM_RING_FAIL_CALL);
    cr_assert(eq(int, lam_ring_producer_check(&producer), 0));
    cr_assert(eq(int, publish(), 1));
    lam_ring_consumer_detach(&one);
    end_ns = now_ns + GRACE_NS;
    while ((now_ns += LAM_WAIT_CHECK_NS) < end_ns)
        cr_assert(eq(int, fill(), 0));
    cr_assert(eq(u64, published, DEPTH - 1));
    cr_assert(eq(int, (int)alerts.last.alarm, LAM_RING_ALARM_DEAD));
    cr_assert(eq(int, join(&again, "a", LAM_RING_RESUME), 0));
    cr_assert(eq(int, lam_ring_consumer_resumed(&again, &lost), 1));
    cr_assert(eq(u64, lost, 0));
    for (uint64_t n = 0; n < DEPTH - 1; n++)
        cr_assert(eq(u64, take_one(&again), n));
    cr_assert(eq(int, lam_ring_producer_check(&producer), 0));
    cr_assert(eq(u32, alerts.over, 1));
    lam_ring_consumer_detach(&again);
}

/* Two laps, if they let us; then its successor has what it left. */
static void finds_its_place(uint64_t first)
{
    struct lam_ring_consumer again;
    uint64_t lost = 9, last = published + 2 * DEPTH;

    while (published < last && publish() == 1)
        continue;
    cr_assert(eq(int, join(&again, "a", LAM_RING_RESUME), 0));
    cr_assert(eq(int, lam_ring_consumer_resumed(&again, &lost), 1));
    cr_assert(eq(u64, lost, 0));
    cr_assert(eq(u64, take_one(&again), first));
    lam_ring_consumer_detach(&again);
}

Test(required, one_that_detaches_before_any_look_keeps_its_place)
{
    struct lam_ring_consumer one;

    cr_assert(eq(int, join(&one, "a", LAM_RING_OLDEST), 0));
    require(1, LAM_RING_FAIL_CALL);
    lam_ring_consumer_detach(&one);
    finds_its_place(0);
}

Test(required, one_that_came_late_and_detaches_before_a_look_keeps_its_place)
{
    struct lam_ring_consumer one;

    require(1, LAM_RING_FAIL_CALL);
    cr_assert(eq(int, fill(), 0));
    cr_assert(eq(int, join(&one, "a", LAM_RING_OLDEST), 0));
    cr_assert(eq(u64, take_one(&one), 0));
    cr_assert(eq(int, publish(), 1)); /* it has come: it was asked for, since the ring was full */
    lam_ring_consumer_detach(&one);
    finds_its_place(1);
}

Test(required, the_second_that_is_there_is_kept_while_the_first_is_missed)
{
    struct lam_ring_consumer first, second;

    cr_assert(eq(int, join(&second, "b", LAM_RING_OLDEST), 0));
    require(2, LAM_RING_FAIL_CALL);
    lam_ring_consumer_detach(&second);
    cr_assert(eq(int, join(&first, "a", LAM_RING_OLDEST), 0));
    for (uint64_t n = 0; n < 2 * DEPTH && publish() == 1; n++)
        cr_assert(eq(u64, take_one(&first), n));
    lam_ring_consumer_detach(&first);
    cr_assert(eq(int, join(&second, "b", LAM_RING_RESUME), 0));
    cr_assert(eq(u64, take_one(&second), 0));
    lam_ring_consumer_detach(&second);
}

Test(required, each_death_has_a_grace_of_its_own)
{
    struct lam_ring_consumer one;

    cr_assert(eq(int, join(&one, "a", LAM_RING_OLDEST), 0));
    require(1, LAM_RING_FAIL_CALL);
    cr_assert(eq(int, lam_ring_producer_check(&producer), 0));
    lam_ring_consumer_detach(&one);
    for (unsigned deaths = 1; deaths < 5; deaths++) {
        cr_assert(eq(int, lam_ring_producer_check(&producer), 1));
        cr_assert(eq(u32, alerts.raised, deaths));
        cr_assert(eq(u32, alerts.over, deaths - 1));
        now_ns += GRACE_NS - 1;
        cr_assert(eq(int, lam_ring_producer_check(&producer), 1));
        /* It comes and goes between two looks. */
        cr_assert(eq(int, join(&one, "a", LAM_RING_RESUME), 0));
        lam_ring_consumer_detach(&one);
        now_ns += 1;
    }
    cr_assert(eq(int, lam_ring_producer_check(&producer), 1));
    now_ns += GRACE_NS;
    cr_assert(eq(int, lam_ring_producer_check(&producer), -ECANCELED));
}

Test(required, its_entry_goes_to_no_other_name)
{
    static struct lam_ring_consumer others[LAM_RING_CONSUMER_COUNT_MAX];
    struct lam_ring_consumer one, again;

    cr_assert(eq(int, join(&one, "a", LAM_RING_OLDEST), 0));
    require(1, LAM_RING_FAIL_CALL);
    cr_assert(eq(int, lam_ring_producer_check(&producer), 0));
    lam_ring_consumer_detach(&one);
    for (int i = 0; i < LAM_RING_CONSUMER_COUNT_MAX - 1; i++)
        cr_assert(eq(int, lam_ring_consumer_attach(&others[i], &ring, NULL, &error), 0));
    cr_assert(eq(int, lam_ring_consumer_attach(&others[63], &ring, NULL, &error), -EUSERS));
    cr_assert(eq(int, join(&again, "a", LAM_RING_RESUME), 0));
    lam_ring_consumer_detach(&again);
    for (int i = 0; i < LAM_RING_CONSUMER_COUNT_MAX - 1; i++)
        lam_ring_consumer_detach(&others[i]);
}

Test(required, watching_costs_nothing_while_there_is_room)
{
    struct lam_ring_consumer one;

    cr_assert(eq(int, join(&one, "a", LAM_RING_OLDEST), 0));
    require(1, LAM_RING_FAIL_CALL);
    cr_assert(eq(int, publish(), 1));
    cr_assert(eq(u64, take_one(&one), 0));
    probes = 0;
    for (uint64_t n = 1; n < 10 * DEPTH; n++) {
        cr_assert(eq(int, publish(), 1));
        cr_assert(eq(u64, take_one(&one), n));
        now_ns += PROGRESS_NS;
    }
    cr_assert(le(u32, probes, 1), "that it has come is asked once");
    lam_ring_consumer_detach(&one);
}

Test(required, a_blocked_producer_looks_once_in_each_interval)
{
    struct lam_ring_required_options options = {
        .names = names, .count = 1, .check_ns = 50 * LAM_NS_PER_MS};
    struct lam_ring_consumer one;

    cr_assert(eq(int, join(&one, "a", LAM_RING_OLDEST), 0));
    cr_assert(eq(int, lam_ring_producer_require(&producer, &required, &options, &error), 0));
    cr_assert(eq(int, fill_spinning(), 0));
    for (unsigned interval = 1; interval < 4; interval++) {
        probes = 0;
        now_ns += 50 * LAM_NS_PER_MS - 1;
        cr_assert(eq(int, fill_spinning(), 0));
        cr_assert(eq(u32, probes, 0));
        now_ns += 1;
        cr_assert(eq(int, fill_spinning(), 0));
        cr_assert(eq(u32, probes, 1));
    }
    lam_ring_consumer_detach(&one);
}

Test(required, options_that_cannot_be_are_refused)
{
    static const char *const twice[] = {"a", "a"};
    static const char *const nameless[] = {""};
    struct lam_ring_required_options options = {.names = names};

    cr_assert(eq(int, lam_ring_producer_require(&producer, &required, &options, &error), -EINVAL));
    options.count = 65;
    cr_assert(eq(int, lam_ring_producer_require(&producer, &required, &options, &error), -EINVAL));
    options = (struct lam_ring_required_options){.names = twice, .count = 2};
    cr_assert(eq(int, lam_ring_producer_require(&producer, &required, &options, &error), -EINVAL));
    cr_assert(strstr(error.text, "twice") != NULL);
    options = (struct lam_ring_required_options){.names = nameless, .count = 1};
    cr_assert(eq(int, lam_ring_producer_require(&producer, &required, &options, &error), -EINVAL));
    require(2, LAM_RING_FAIL_CALL);
    options = (struct lam_ring_required_options){.names = names, .count = 1};
    cr_assert(
        eq(int, lam_ring_producer_require(&producer, &required, &options, &error), -EALREADY));
}
