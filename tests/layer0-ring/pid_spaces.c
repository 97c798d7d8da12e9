/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: death is known across PID namespaces, in both directions and for both ends, though no pid
 * means the same on both sides. Method: an end in a child that is the init of a PID namespace of
 * its own, with the /proc of before and with its own; it is killed, and the other end watches.
 */
#include "pid_spaces.h"
#include "lamina/ring/clean.h"
#include "lamina/ring/consumer.h"
#include "lamina/ring/producer.h"
#include "lamina/ring/stat.h"
#include "leftovers.h"

static char name[64];
static struct lam_ring ring;
static struct lam_ring_producer producer;
static struct lam_ring_consumer consumer;
static struct lam_error error;

static uint64_t soon(void)
{
    return lam_deadline_after_ns(20 * LAM_NS_PER_S);
}

static void attach(enum lam_access access)
{
    struct lam_ring_attach_options options = {.name = name, .access = access};

    TEST_OK(lam_ring_attach(&ring, &options, &error), error);
}

static void consume(void)
{
    attach(LAM_ACCESS_READ);
    TEST_OK(lam_ring_consumer_attach(&consumer, &ring, NULL, &error), error);
}

static void publish_one(void)
{
    void *payload = NULL;

    TEST_OK(lam_ring_producer_claim_until(&producer, 8, soon(), &payload), error);
    memset(payload, 7, 8);
    lam_ring_producer_commit(&producer, 8, 1, 0);
}

static void produce(void)
{
    attach(LAM_ACCESS_WRITE);
    TEST_OK(lam_ring_producer_attach(&producer, &ring, NULL, &error), error);
    publish_one();
}

static void a_consumer_elsewhere_dies(int own_proc)
{
    struct lam_ring_stat stat;
    pid_t child = test_elsewhere(consume, own_proc);

    TEST_OK(lam_ring_producer_wait_consumers_until(&producer, 1, soon()), error);
    TEST_OK(lam_ring_stat_read(&ring, &stat), error);
    TEST_CHECK(stat.consumers[0].alive == 1 && stat.consumers[0].pid == 1);
    test_kill(child);
    for (int i = 0; i < 100; i++)
        publish_one(); /* more than the ring holds */
    TEST_OK(lam_ring_stat_read(&ring, &stat), error);
    TEST_CHECK(stat.reaped > 0);
}

static void a_producer_elsewhere_dies(int own_proc)
{
    struct lam_event event = {.payload = NULL};
    pid_t child = test_elsewhere(produce, own_proc);

    TEST_OK(lam_ring_consumer_peek_until(&consumer, soon(), &event), error);
    lam_ring_consumer_release(&consumer);
    TEST_CHECK(lam_ring_producer_attach(&producer, &ring, NULL, &error) == -EBUSY);
    test_kill(child);
    TEST_CHECK(lam_ring_consumer_peek_until(&consumer, soon(), &event) == -EOWNERDEAD);
    TEST_OK(lam_ring_producer_attach(&producer, &ring, NULL, &error), error);
    lam_ring_producer_detach(&producer);
}

static enum lam_ring_find found_as;

static void note(void *context, const struct lam_ring_found *finding)
{
    (void)context;
    found_as = finding->find;
}

/* Who looks from elsewhere sees who holds the ring, and leaves it alone. */
static void clean_from_elsewhere(void)
{
    struct lam_ring_clean_options options = {.name = name, .remove = 1};

    TEST_OK(lam_ring_clean(&options, note, NULL, &error), error);
    TEST_CHECK(found_as == LAM_RING_FIND_ALIVE);
}

int main(void)
{
    struct lam_ring_options options = {.backing = LAM_BACKING_NAMED, .name = name, .depth = 64};

    test_need_pid_spaces();
    (void)snprintf(name, sizeof(name), "pid-spaces-%d", (int)getpid());
    test_leave_nothing(name);
    TEST_OK(lam_ring_create(&ring, &options, &error), error);
    for (int own_proc = 0; own_proc < 2; own_proc++) {
        TEST_OK(lam_ring_producer_attach(&producer, &ring, NULL, &error), error);
        a_consumer_elsewhere_dies(own_proc);
        lam_ring_producer_detach(&producer);
        TEST_OK(lam_ring_consumer_attach(&consumer, &ring, NULL, &error), error);
        a_producer_elsewhere_dies(own_proc);
        test_kill(test_elsewhere(clean_from_elsewhere, own_proc));
        lam_ring_consumer_detach(&consumer);
    }
    TEST_OK(lam_ring_destroy(&ring), error);
    return 0;
}
