/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: one event, several at once and the longest are each claimed without waiting, until a
 * deadline and for as long as it takes; who timed out is told who was in the way, and since when.
 * With one producer and with many. Method: a full ring and one consumer, which takes all of it
 * later, from another thread; each way to wait, sequences at their wraps.
 */
#include "lamina/ring/many.h"
#include "one_ring.h"

#include <pthread.h>

TestSuite(claims, .timeout = 60);

static struct lam_ring_many_producer many;
static struct lam_ring_consumer reader;
static uint64_t long_bytes;

struct form {
    const char *what;
    int (*try_it)(void);
    int (*until)(uint64_t deadline_ns);
    void (*give_back)(void);
    uint64_t (*commit)(void); /* returns how many events it made */
};

static void *payload;

static int try_one(void)
{
    return lam_ring_producer_try_claim(&producer, 8, &payload);
}

static int one_until(uint64_t deadline_ns)
{
    return lam_ring_producer_claim_until(&producer, 8, deadline_ns, &payload);
}

static int try_long(void)
{
    return lam_ring_producer_try_claim(&producer, long_bytes, &payload);
}

static int long_until(uint64_t deadline_ns)
{
    return lam_ring_producer_claim_until(&producer, long_bytes, deadline_ns, &payload);
}

static int try_several(void)
{
    return lam_ring_producer_try_claim_batch(&producer, 3, &batch);
}

static int several_until(uint64_t deadline_ns)
{
    return lam_ring_producer_claim_batch_until(&producer, 3, deadline_ns, &batch);
}

static void abort_it(void)
{
    lam_ring_producer_abort(&producer);
}

static uint64_t commit_one(void)
{
    memset(payload, 1, 8);
    lam_ring_producer_commit(&producer, 8, 1, 0);
    return 1;
}

static uint64_t commit_long(void)
{
    memset(payload, 1, long_bytes);
    lam_ring_producer_commit(&producer, long_bytes, 1, 0);
    return 1;
}

static uint64_t commit_several(void)
{
    for (int i = 0; i < 3; i++) {
        cr_assert(eq(int, lam_ring_batch_stage(&batch, 8, 1, 0, &payload), 1));
        memset(payload, 1, 8);
    }
    lam_ring_batch_commit(&batch);
    return 3;
}

static int many_try_one(void)
{
    return lam_ring_many_try_claim(&many, 8, &payload);
}

static int many_one_until(uint64_t deadline_ns)
{
    return lam_ring_many_claim_until(&many, 8, deadline_ns, &payload);
}

static int many_try_long(void)
{
    return lam_ring_many_try_claim(&many, long_bytes, &payload);
}

static int many_long_until(uint64_t deadline_ns)
{
    return lam_ring_many_claim_until(&many, long_bytes, deadline_ns, &payload);
}

static void many_abort_it(void)
{
    lam_ring_many_abort(&many);
}

static uint64_t many_commit_one(void)
{
    memset(payload, 1, 8);
    lam_ring_many_commit(&many, 8, 1, 0);
    return 1;
}

static uint64_t many_commit_long(void)
{
    memset(payload, 1, long_bytes);
    lam_ring_many_commit(&many, long_bytes, 1, 0);
    return 1;
}

static const struct form forms[] = {
    {"one", try_one, one_until, abort_it, commit_one},
    {"several", try_several, several_until, abort_it, commit_several},
    {"a long one", try_long, long_until, abort_it, commit_long},
};

static const struct form many_forms[] = {
    {"one of many", many_try_one, many_one_until, many_abort_it, many_commit_one},
    {"a long one of many", many_try_long, many_long_until, many_abort_it, many_commit_long},
};

static uint64_t take_all(void)
{
    struct lam_event event;
    uint64_t count = 0;

    while (lam_ring_consumer_try_peek(&reader, &event) == 1)
        count++;
    (void)lam_ring_consumer_release(&reader);
    return count;
}

static void *take_all_later(void *argument)
{
    (void)argument;
    nap_ms(3); /* who waits is likely to wait by now */
    (void)take_all();
    return NULL;
}

/* Since when, as whichever producer it is says; 0 where somebody else is named. */
static uint64_t waited_for_reader(void)
{
    struct lam_ring_many_blocker many_blocker = {.name = ""};
    struct lam_ring_blocker blocker = {.name = ""};

    if (ring.producers == LAM_RING_MANY_PRODUCERS) {
        cr_assert(eq(int, lam_ring_many_blocker(&many, &many_blocker), 1));
        return strcmp(many_blocker.name, "reader") == 0 ? many_blocker.since_ns : 0;
    }
    cr_assert(eq(int, lam_ring_producer_blocker(&producer, &blocker), 1));
    return strcmp(blocker.name, "reader") == 0 ? blocker.since_ns : 0;
}

static void go_through(const struct form *form)
{
    pthread_t thread;
    uint64_t made = 0;

    while (form->try_it() == 1)
        made += form->commit();
    cr_assert(lt(u64, 0, made), "%s", form->what);
    cr_assert(eq(int, form->try_it(), 0), "%s", form->what);
    cr_assert(eq(int, form->until(0), -ETIMEDOUT), "%s", form->what);
    cr_assert(
        eq(int, form->until(lam_deadline_after_ns(LAM_NS_PER_MS)), -ETIMEDOUT), "%s", form->what);
    cr_assert(ge(u64, waited_for_reader(), LAM_NS_PER_MS), "%s", form->what);

    cr_assert(eq(int, pthread_create(&thread, NULL, take_all_later, NULL), 0));
    cr_assert(eq(int, form->until(LAM_DEADLINE_NEVER), 0), "%s", form->what);
    (void)pthread_join(thread, NULL);
    (void)take_all();
    form->give_back();
    cr_assert(eq(u64, take_all(), 0), "%s: what was given back is seen", form->what);
    cr_assert(eq(int, form->until(lam_deadline_after_ns(SOON)), 0), "%s", form->what);
    made = form->commit();
    cr_assert(eq(u64, take_all(), made), "%s", form->what);
}

static const enum lam_wait_mode modes[] = {
    LAM_WAIT_HYBRID, LAM_WAIT_SPIN, LAM_WAIT_YIELD, LAM_WAIT_FUTEX};

Test(claims, one_several_and_long_ones_are_tried_timed_and_waited_for)
{
    for (unsigned i = 0; i < 16; i++) {
        struct lam_ring_producer_options options = {.wait = modes[i % 4]};

        make_ring(DEPTH, starts[i / 4], LAM_RING_MAY_SLEEP);
        long_bytes = lam_ring_payload_bytes_max(&ring);
        cr_assert(eq(int, lam_ring_producer_attach(&producer, &ring, &options, &error), 0));
        cr_assert(eq(int, join(&reader, "reader", LAM_RING_HEAD), 0));
        for (unsigned k = 0; k < sizeof(forms) / sizeof(forms[0]); k++)
            go_through(&forms[k]);
        lam_ring_consumer_detach(&reader);
        close_ring();
    }
}

static void open_for_many(uint64_t first_sequence, enum lam_wait_mode wait)
{
    struct lam_ring_many_options options = {.wait = wait};
    struct lam_ring_options ring_options = {.name = "claims",
        .depth = DEPTH,
        .first_sequence = first_sequence,
        .producers = LAM_RING_MANY_PRODUCERS};

    cr_assert(eq(int, lam_ring_create(&ring, &ring_options, &error), 0), "%s", error.text);
    long_bytes = lam_ring_payload_bytes_max(&ring);
    cr_assert(eq(int, lam_ring_many_attach(&many, &ring, &options, &error), 0));
    cr_assert(eq(int, join(&reader, "reader", LAM_RING_HEAD), 0));
}

static void close_of_many(void)
{
    lam_ring_consumer_detach(&reader);
    lam_ring_many_detach(&many);
    (void)lam_ring_destroy(&ring);
}

Test(claims, so_are_those_of_one_of_many_producers)
{
    for (unsigned i = 0; i < 16; i++) {
        open_for_many(starts[i / 4], modes[i % 4]);
        for (unsigned k = 0; k < sizeof(many_forms) / sizeof(many_forms[0]); k++)
            go_through(&many_forms[k]);
        close_of_many();
    }
}

Test(claims, one_of_many_counts_anew_for_who_is_in_its_way_next)
{
    struct lam_ring_consumer other;
    struct lam_ring_many_blocker blocker;

    open_for_many(UINT64_MAX - 2, LAM_WAIT_FUTEX);
    cr_assert(eq(int, join(&other, "other", LAM_RING_HEAD), 0));
    while (many_try_one() == 1)
        (void)many_commit_one();
    cr_assert(eq(int, many_try_one(), 0));
    (void)take_all(); /* from now on it is the other one's fault alone */
    cr_assert(eq(int, many_try_one(), 0));
    cr_assert(eq(int, lam_ring_many_blocker(&many, &blocker), 1));
    cr_assert(eq(str, blocker.name, "other"));
    cr_assert(lt(u64, 0, blocker.since_ns));
    lam_ring_consumer_detach(&other);
    close_of_many();
}
