/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: a producer that cannot do without some consumers learns in time who is missing, stalled or
 * dead, loses nothing of theirs until their grace is over, raises no alarm for an idle one, and
 * does then what its policy says. Method: consumers of this process and a clock that the test
 * moves, so that every moment can be chosen; children that are killed and stopped, for what only
 * the kernel can do.
 */
#include "layout.h"

#include "one_ring.h"

#define PROGRESS_NS (100 * LAM_NS_PER_MS)
#define GRACE_NS    (1000 * LAM_NS_PER_MS)
#define STARTUP_NS  (500 * LAM_NS_PER_MS)

static const char *const names[] = {"a", "b"};
static struct lam_ring_required required;

/* What the callback has seen. */
static struct {
    struct lam_ring_alert last;
    char name[LAM_RING_CONSUMER_NAME_MAX + 1];
    unsigned raised;
    unsigned over;
} alerts;

static void note_alert(void *context, const struct lam_ring_alert *alert)
{
    cr_assert(context == &alerts);
    alerts.last = *alert;
    (void)snprintf(alerts.name, sizeof(alerts.name), "%s", alert->name);
    alerts.raised += !alert->is_over;
    alerts.over += alert->is_over != 0;
}

static void require(uint32_t count, enum lam_ring_failure_action action)
{
    struct lam_ring_required_options options = {.names = names,
        .count = count,
        .action = action,
        .startup_ns = STARTUP_NS,
        .progress_ns = PROGRESS_NS,
        .check_ns = 1,
        .grace_ns = GRACE_NS,
        .alert = note_alert,
        .context = &alerts};

    cr_assert(eq(int, lam_ring_producer_require(&producer, &required, &options, &error), 0), "%s",
        error.text);
}

/* The clock stands still until it is moved. */
static uint64_t now_ns;
static unsigned probes;
static struct lam_base_ops ops;

static uint64_t read_clock(void)
{
    return now_ns;
}

static int count_probe(int fd, uint64_t byte)
{
    probes++;
    return lam_base_linux.lock_probe(fd, byte);
}

static void setup(void)
{
    ops = lam_base_linux;
    ops.now_ns = read_clock;
    ops.lock_probe = count_probe;
    now_ns = 1000 * LAM_NS_PER_S;
    lam_base = &ops;
    open_ring_at(DEPTH, UINT64_MAX - 2);
}

static void teardown(void)
{
    lam_base = &lam_base_linux;
    close_ring();
}

TestSuite(required, .init = setup, .fini = teardown, .timeout = 60);
TestSuite(required_processes, .timeout = 60);

static int fill(void)
{
    int rc;

    do
        rc = publish();
    while (rc == 1);
    return rc;
}

static int fill_by_batches(void)
{
    int rc = 1;
    void *payload = NULL;

    while ((rc = lam_ring_producer_try_claim_batch(&producer, 2)) == 1) {
        for (int i = 0; i < 2; i++) {
            (void)lam_ring_producer_stage(&producer, sizeof(published), 1, 0, &payload);
            memcpy(payload, &published, sizeof(published));
            published++;
        }
        lam_ring_producer_commit_batch(&producer);
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
    cr_assert(gt(u64, published, in_ring));
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
    cr_assert(eq(u64, alerts.last.cursor, UINT64_MAX - 2));
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
    uint64_t lost = 9;

    cr_assert(eq(int, join(&one, "a", LAM_RING_OLDEST), 0));
    require(1, LAM_RING_FAIL_CALL);
    cr_assert(eq(int, lam_ring_producer_check(&producer), 0));
    cr_assert(eq(int, publish(), 1));
    lam_ring_consumer_detach(&one);
    for (int i = 0; i < 200; i++) {
        now_ns += LAM_WAIT_CHECK_NS;
        cr_assert(eq(int, fill(), 0));
    }
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

/* Its grace is over, and the producer went on without it. */
static void come_too_late(uint64_t released)
{
    struct lam_ring_consumer again;
    uint64_t lost = 0;

    for (int i = 0; i < 100; i++)
        cr_assert(eq(int, publish(), 1));
    cr_assert(eq(int, join(&again, "a", LAM_RING_RESUME), 0));
    cr_assert(eq(int, lam_ring_consumer_resumed(&again, &lost), 1));
    cr_assert(eq(u64, lost, producer.horizon_ordinal - released));
    cr_assert(eq(u64, peek_one(&again), producer.horizon_ordinal));
    cr_assert(eq(int, lam_ring_producer_check(&producer), 0), "it is watched again");
    lam_ring_consumer_detach(&again);
}

Test(required, a_dead_one_is_given_up_after_its_grace_and_learns_what_it_lost)
{
    struct lam_ring_consumer one;

    cr_assert(eq(int, join(&one, "a", LAM_RING_OLDEST), 0));
    require(1, LAM_RING_FAIL_EVICT);
    cr_assert(eq(int, publish(), 1));
    cr_assert(eq(u64, take_one(&one), 0));
    cr_assert(eq(int, lam_ring_producer_check(&producer), 0));
    lam_ring_consumer_detach(&one);
    cr_assert(eq(int, lam_ring_producer_check(&producer), 1));
    now_ns += GRACE_NS - 1;
    cr_assert(eq(int, fill(), 0));
    now_ns += 1;
    cr_assert(eq(int, lam_ring_producer_check(&producer), 1));
    come_too_late(1);
    cr_assert(eq(u32, alerts.over, 1));
}

Test(required, one_that_never_comes_is_given_up_by_that_policy)
{
    require(1, LAM_RING_FAIL_EVICT);
    cr_assert(eq(int, fill(), 0));
    now_ns += STARTUP_NS;
    cr_assert(eq(int, lam_ring_producer_check(&producer), 1));
    now_ns += GRACE_NS;
    cr_assert(eq(int, lam_ring_producer_check(&producer), 1));
    for (int i = 0; i < 100; i++)
        cr_assert(eq(int, publish(), 1));
}

Test(required, a_stalled_one_that_may_be_evicted_is_and_is_told)
{
    struct lam_ring_consumer_options options = {.name = "a",
        .start = LAM_RING_OLDEST,
        .policy = LAM_RING_GATE_THEN_EVICT,
        .patience_ns = LAM_DEADLINE_NEVER};
    struct lam_ring_consumer one;
    struct lam_event event;

    cr_assert(eq(int, lam_ring_consumer_attach(&one, &ring, &options, &error), 0));
    require(1, LAM_RING_FAIL_EVICT);
    cr_assert(eq(int, fill(), 0));
    now_ns += PROGRESS_NS;
    cr_assert(eq(int, lam_ring_producer_check(&producer), 1));
    now_ns += GRACE_NS;
    cr_assert(eq(int, lam_ring_producer_check(&producer), 1));
    cr_assert(eq(int, publish(), 1));
    cr_assert(eq(int, lam_ring_consumer_try_peek(&one, &event), -ESTALE));
    lam_ring_consumer_detach(&one);
}

Test(required, a_stalled_one_that_would_not_see_it_is_never_evicted)
{
    struct lam_ring_consumer one;

    cr_assert(eq(int, join(&one, "a", LAM_RING_OLDEST), 0));
    require(1, LAM_RING_FAIL_EVICT);
    cr_assert(eq(int, fill(), 0));
    now_ns += PROGRESS_NS;
    cr_assert(eq(int, lam_ring_producer_check(&producer), 1));
    now_ns += GRACE_NS;
    cr_assert(eq(int, lam_ring_producer_check(&producer), -ECANCELED));
    cr_assert(eq(u64, take_one(&one), 0));
    lam_ring_consumer_detach(&one);
}

Test(required, a_failed_ring_is_failed_for_all_ends_until_the_next_epoch)
{
    struct lam_ring_consumer one, other;
    struct lam_ring_stat stat;
    struct lam_event event;

    cr_assert(eq(int, join(&one, "a", LAM_RING_OLDEST), 0));
    cr_assert(eq(int, join(&other, "b", LAM_RING_OLDEST), 0));
    require(2, LAM_RING_FAIL_RING);
    cr_assert(eq(int, fill(), 0));
    while (take_one(&other) != UINT64_MAX)
        continue;
    now_ns += PROGRESS_NS;
    cr_assert(eq(int, lam_ring_producer_check(&producer), 1));
    now_ns += GRACE_NS;
    cr_assert(eq(int, lam_ring_producer_check(&producer), -ECANCELED));
    /* Sticky: that it goes on now changes nothing. */
    cr_assert(eq(u64, take_one(&one), 0));
    cr_assert(eq(int, lam_ring_producer_check(&producer), -ECANCELED));
    cr_assert(eq(int, publish(), -ECANCELED));
    cr_assert(eq(int, lam_ring_consumer_try_peek(&other, &event), -ECANCELED));
    for (uint64_t n = 1; n < published; n++)
        cr_assert(eq(u64, take_one(&one), n), "the last event comes first");
    cr_assert(eq(int, lam_ring_consumer_try_peek(&one, &event), -ECANCELED));
    cr_assert(eq(int, lam_ring_stat_read(&ring, &stat), 0));
    cr_assert(eq(int, (int)stat.state, LAM_RING_FAILED));
    cr_assert(strstr(stat.failure, "required consumer a is stalled") != NULL, "%s", stat.failure);
    lam_ring_producer_close(&producer);
    cr_assert(eq(int, lam_ring_stat_read(&ring, &stat), 0));
    cr_assert(eq(int, (int)stat.state, LAM_RING_FAILED), "a close hides no failure");
    lam_ring_producer_detach(&producer);
    cr_assert(eq(int, lam_ring_producer_attach(&producer, &ring, NULL, &error), 0));
    cr_assert(eq(int, publish(), 1));
    cr_assert(eq(u64, take_one(&one), published - 1));
    cr_assert(eq(u64, take_one(&other), published - 1));
    lam_ring_consumer_detach(&one);
    lam_ring_consumer_detach(&other);
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

/* From here on real processes, and the real clock: deadlines only bound the test. */
static void require_really(enum lam_ring_failure_action action, uint64_t grace_ns)
{
    struct lam_ring_required_options options = {.names = names,
        .count = 1,
        .action = action,
        .startup_ns = SOON,
        .progress_ns = 20 * LAM_NS_PER_MS,
        .check_ns = LAM_NS_PER_MS,
        .grace_ns = grace_ns,
        .alert = note_alert,
        .context = &alerts};

    cr_assert(eq(int, lam_ring_producer_require(&producer, &required, &options, &error), 0));
}

static const struct lam_ring_consumer_options resume_a = {.name = "a", .start = LAM_RING_RESUME};

static void kill_and_come_back(
    uint64_t first_sequence, int (*publish_some)(uint64_t deadline_ns), unsigned rounds)
{
    struct child_log *log = make_log();
    struct lam_ring_stat stat;
    uint64_t released = 0;
    pid_t child;

    memset(&alerts, 0, sizeof(alerts));
    open_ring_at(64, first_sequence);
    require_really(LAM_RING_FAIL_CALL, SOON);
    for (unsigned round = 0; round <= rounds; round++) {
        lam_store_relaxed(&log->first, UINT64_MAX);
        child = start_child(log, &resume_a, UINT64_MAX);
        while (lam_load_relaxed(&log->first) == UINT64_MAX || published < (round + 1) * 300)
            cr_assert(eq(int, publish_some(lam_deadline_after_ns(SOON)), 0));
        cr_assert(eq(u64, lam_load_relaxed(&log->lost), 0));
        cr_assert(ge(u64, lam_load_relaxed(&log->first), released), "round %u", round);
        cr_assert(le(u64, lam_load_relaxed(&log->first), lam_load_relaxed(&log->releasing)));
        cr_assert(eq(u64, lam_load_relaxed(&log->gaps), 0));
        if (round == rounds)
            break;
        kill_child(child);
        released = lam_load_relaxed(&log->released);
        /* The producer fills the ring, finds it dead, and waits. */
        while (publish_some(lam_deadline_after_ns(LAM_NS_PER_MS)) == 0)
            continue;
        nap_ms(round == 0 ? 80 : 2);
        while (lam_ring_producer_check(&producer) != 1)
            cr_assert(eq(int, publish_some(lam_deadline_after_ns(LAM_NS_PER_MS)), -ETIMEDOUT));
    }
    cr_assert(ge(int, lam_ring_producer_check(&producer), 0));
    cr_assert(eq(u32, alerts.raised, alerts.over + required.standing));
    cr_assert(ge(u32, alerts.over, rounds));
    cr_assert(eq(int, lam_ring_stat_read(&ring, &stat), 0));
    cr_assert(eq(u64, stat.reaped, 0));
    lam_ring_producer_close(&producer);
    cr_assert(eq(int, end_of_child(child), EPIPE));
    cr_assert(eq(u64, lam_load_relaxed(&log->released), published));
    close_ring();
    (void)munmap(log, 4096);
}

Test(required_processes, a_killed_one_that_comes_back_after_80_ms_misses_nothing)
{
    for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++)
        kill_and_come_back(starts[i] - 500, publish_until, 3);
}

Test(required_processes, a_killed_one_that_comes_back_misses_nothing_of_batches)
{
    kill_and_come_back(UINT64_MAX - 700, publish_batch_until, 3);
}

Test(required_processes, a_stopped_one_is_stalled_and_is_never_overtaken)
{
    struct child_log *log = make_log();
    pid_t child;
    int status;

    memset(&alerts, 0, sizeof(alerts));
    open_ring_at(64, UINT64_MAX - 50);
    require_really(LAM_RING_FAIL_EVICT, 5 * LAM_NS_PER_MS);
    child = start_child(log, &resume_a, UINT64_MAX);
    await_word(&log->ready, 1);
    cr_assert(eq(int, kill(child, SIGSTOP), 0));
    cr_assert(eq(int, waitpid(child, &status, WUNTRACED), child));
    while (publish_until(lam_deadline_after_ns(SOON)) != -ECANCELED)
        continue;
    cr_assert(eq(int, (int)alerts.last.alarm, LAM_RING_ALARM_STALLED));
    cr_assert(eq(int, kill(child, SIGCONT), 0));
    while (lam_ring_producer_check(&producer) != 0)
        nap_ms(1);
    for (int i = 0; i < 300; i++)
        while (publish_until(lam_deadline_after_ns(SOON)) != 0)
            continue;
    lam_ring_producer_close(&producer);
    cr_assert(eq(int, end_of_child(child), EPIPE));
    cr_assert(eq(u64, lam_load_relaxed(&log->gaps), 0));
    cr_assert(eq(u64, lam_load_relaxed(&log->released), published));
    cr_assert(ge(u32, alerts.over, 1));
    close_ring();
    (void)munmap(log, 4096);
}

Test(required_processes, a_killed_one_that_does_not_come_back_fails_the_ring)
{
    static const struct lam_ring_consumer_options other = {.name = "b", .start = LAM_RING_OLDEST};
    struct child_log *log = make_log(), *other_log = make_log();
    pid_t child, bystander;

    memset(&alerts, 0, sizeof(alerts));
    open_ring_at(64, UINT64_MAX - 50);
    require_really(LAM_RING_FAIL_RING, 10 * LAM_NS_PER_MS);
    child = start_child(log, &resume_a, UINT64_MAX);
    bystander = start_child(other_log, &other, UINT64_MAX);
    await_word(&log->ready, 1);
    await_word(&other_log->ready, 1);
    kill_child(child);
    while (publish_until(lam_deadline_after_ns(SOON)) == 0)
        continue;
    cr_assert(eq(int, publish(), -ECANCELED));
    cr_assert(eq(int, end_of_child(bystander), ECANCELED));
    cr_assert(eq(u64, lam_load_relaxed(&other_log->released), published));
    cr_assert(eq(int, (int)alerts.last.alarm, LAM_RING_ALARM_DEAD));
    close_ring();
    (void)munmap(log, 4096);
    (void)munmap(other_log, 4096);
}
