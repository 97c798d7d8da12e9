/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: no wake-up is ever lost, in either direction, between threads and between processes, by a
 * wait on one ring and on several. Method: small rings, ends that nap at random, and sleeps without
 * an end: the ladder's look at the peer every 8 ms, which would hide a lost wake-up, is taken away.
 * Whoever is not woken stands still, and a watch over everyone's progress says so. In a stream the
 * next event makes up for a wake-up that was lost; so there are questions and answers, too, one at
 * a time. All is checked number by number. Mutants: wait_stress.mutants.
 */
#include "lamina/ring/producer.h"
#include "lamina/ring/wait_any.h"
#include "starts.h"
#include "wait_stress.h"

#define CONSUMERS 3
#define QUESTIONS 3 /* rings that a question may come by */
#define RINGS     (QUESTIONS + 1)
#define DEPTH     8

static struct lam_ring rings[RINGS];

/* A consumer is attached in the process that it reads in: a child's copy of a lock is closed. */
static void attach_consumer(struct lam_ring_consumer *consumer, uint32_t at)
{
    struct lam_ring_consumer_options options = {.wait = wait_mode, .start = LAM_RING_OLDEST};

    TEST_CHECK(lam_ring_consumer_attach(consumer, &rings[at], &options, NULL) == 0);
}

static void publish(struct lam_ring_producer *producer, uint64_t number)
{
    void *payload = NULL;

    TEST_CHECK(
        lam_ring_producer_claim_until(producer, sizeof(number), LAM_DEADLINE_NEVER, &payload) == 0);
    memcpy(payload, &number, sizeof(number));
    lam_ring_producer_commit(producer, sizeof(number), 1, 0);
}

static void produce(uint32_t at, uint32_t consumer_count, uint64_t seed)
{
    struct lam_ring_producer_options options = {.wait = wait_mode};
    struct lam_ring_producer producer;

    TEST_CHECK(lam_ring_producer_attach(&producer, &rings[at], &options, NULL) == 0);
    TEST_CHECK(
        lam_ring_producer_wait_consumers_until(&producer, consumer_count, LAM_DEADLINE_NEVER) == 0);
    for (uint64_t number = 0; number < event_count; number++) {
        nap(&seed);
        publish(&producer, number);
    }
    /* So that most sleep when it closes. */
    (void)nanosleep(&(struct timespec){.tv_nsec = 3000000}, NULL);
    lam_ring_producer_close(&producer);
    lam_ring_producer_detach(&producer);
}

static void consume(struct lam_ring_consumer *consumer, uint64_t seed)
{
    struct lam_event event = {.payload = NULL};
    uint64_t number = 0;
    int rc;

    while ((rc = lam_ring_consumer_peek_until(consumer, LAM_DEADLINE_NEVER, &event)) == 0) {
        TEST_CHECK(number_of(&event) == number);
        number++;
        nap(&seed);
        (void)lam_ring_consumer_release(consumer);
    }
    TEST_CHECK(rc == -EPIPE && number == event_count);
}

/* Ask by a ring chosen at random, wait for the answer, again. */
static void ask(uint64_t seed)
{
    struct lam_ring_producer_options options = {.wait = wait_mode};
    struct lam_ring_producer producers[QUESTIONS];
    struct lam_ring_consumer answers;
    struct lam_event event = {.payload = NULL};

    attach_consumer(&answers, QUESTIONS);
    for (uint32_t i = 0; i < QUESTIONS; i++) {
        TEST_CHECK(lam_ring_producer_attach(&producers[i], &rings[i], &options, NULL) == 0);
        TEST_CHECK(
            lam_ring_producer_wait_consumers_until(&producers[i], 1, LAM_DEADLINE_NEVER) == 0);
    }
    for (uint64_t number = 0; number < event_count; number++) {
        publish(&producers[test_random(&seed) % QUESTIONS], number);
        TEST_CHECK(lam_ring_consumer_peek_until(&answers, LAM_DEADLINE_NEVER, &event) == 0);
        TEST_CHECK(number_of(&event) == number);
        (void)lam_ring_consumer_release(&answers);
        nap(&seed);
    }
    for (uint32_t i = 0; i < QUESTIONS; i++) {
        lam_ring_producer_close(&producers[i]);
        lam_ring_producer_detach(&producers[i]);
    }
    lam_ring_consumer_detach(&answers);
}

/* Answer what comes by any of the rings, until the last is closed. */
static void answer(uint64_t seed)
{
    struct lam_ring_producer_options options = {.wait = wait_mode};
    struct lam_ring_consumer consumers[QUESTIONS];
    struct lam_ring_consumer *open[QUESTIONS];
    struct lam_ring_producer producer;
    struct lam_event event = {.payload = NULL};
    uint32_t count = QUESTIONS;
    uint32_t index = UINT32_MAX;
    uint64_t number = 0;

    TEST_CHECK(lam_ring_producer_attach(&producer, &rings[QUESTIONS], &options, NULL) == 0);
    TEST_CHECK(lam_ring_producer_wait_consumers_until(&producer, 1, LAM_DEADLINE_NEVER) == 0);
    for (uint32_t i = 0; i < QUESTIONS; i++) {
        attach_consumer(&consumers[i], i);
        open[i] = &consumers[i];
    }
    while (count > 0) {
        int rc = lam_ring_wait_any_until(open, count, LAM_DEADLINE_NEVER, &index);

        if (rc != 0) {
            TEST_CHECK(rc == -EPIPE && number == event_count);
            open[index] = open[--count];
            continue;
        }
        TEST_CHECK(lam_ring_consumer_try_peek(open[index], &event) == 1);
        TEST_CHECK(number_of(&event) == number);
        (void)lam_ring_consumer_release(open[index]);
        nap(&seed);
        publish(&producer, number++);
    }
    for (uint32_t i = 0; i < QUESTIONS; i++)
        lam_ring_consumer_detach(&consumers[i]);
    lam_ring_producer_close(&producer);
    lam_ring_producer_detach(&producer);
}

struct job {
    void (*run)(struct job *job);
    struct lam_ring_consumer *consumer;
    uint32_t at;
};

static void run_producer(struct job *job)
{
    produce(job->at, 1, job->at + 1);
}

static void run_consumer(struct job *job)
{
    consume(job->consumer, job->at + 100);
}

static void run_asker(struct job *job)
{
    ask(job->at);
}

static void run_answerer(struct job *job)
{
    answer(job->at);
}

static void *run_thread(void *argument)
{
    struct job *job = argument;

    job->run(job);
    return NULL;
}

static void in_threads(struct job *jobs, int count)
{
    pthread_t threads[CONSUMERS + 1];

    for (int i = 0; i < count; i++)
        TEST_CHECK(pthread_create(&threads[i], NULL, run_thread, &jobs[i]) == 0);
    for (int i = 0; i < count; i++)
        (void)pthread_join(threads[i], NULL);
}

static void in_processes(void)
{
    struct lam_ring_consumer consumer;
    struct lam_ring_consumer own;
    pid_t children[CONSUMERS + 1];

    attach_consumer(&own, 0);
    for (int i = 0; i <= CONSUMERS; i++) {
        children[i] = test_fork();
        if (children[i] != 0)
            continue;
        if (i == CONSUMERS) {
            produce(0, CONSUMERS + 1, 9);
        } else {
            attach_consumer(&consumer, 0);
            consume(&consumer, (uint64_t)i + 50);
            lam_ring_consumer_detach(&consumer);
        }
        _exit(0);
    }
    consume(&own, 3);
    lam_ring_consumer_detach(&own);
    for (int i = 0; i <= CONSUMERS; i++)
        TEST_CHECK(test_wait(children[i]) == 0);
}

static void open_rings(void)
{
    for (uint32_t i = 0; i < RINGS; i++) {
        struct lam_ring_options options = {
            .name = "stress-wait", .depth = DEPTH, .first_sequence = test_next_start()};

        TEST_CHECK(lam_ring_create(&rings[i], &options, NULL) == 0);
    }
}

static void close_rings(void)
{
    for (uint32_t i = 0; i < RINGS; i++)
        (void)lam_ring_destroy(&rings[i]);
}

static void run(enum lam_wait_mode mode)
{
    struct lam_ring_consumer consumers[CONSUMERS];
    struct job jobs[CONSUMERS + 1];
    pid_t child;

    wait_mode = mode;
    open_rings();
    for (uint32_t i = 0; i < CONSUMERS; i++) {
        attach_consumer(&consumers[i], 0);
        jobs[i] = (struct job){.run = run_consumer, .consumer = &consumers[i], .at = i};
    }
    jobs[CONSUMERS] = (struct job){.run = run_producer};
    in_threads(jobs, CONSUMERS + 1);
    for (uint32_t i = 0; i < CONSUMERS; i++)
        lam_ring_consumer_detach(&consumers[i]);
    close_rings();

    open_rings();
    jobs[0] = (struct job){.run = run_asker, .at = 5};
    jobs[1] = (struct job){.run = run_answerer, .at = 6};
    in_threads(jobs, 2);
    close_rings();

    open_rings();
    in_processes();
    close_rings();

    open_rings();
    child = test_fork();
    if (child == 0) {
        ask(7);
        _exit(0);
    }
    answer(8);
    TEST_CHECK(test_wait(child) == 0);
    close_rings();
}

int main(void)
{
    sleep_without_an_end();
    run(LAM_WAIT_FUTEX);
    run(LAM_WAIT_HYBRID);
    (void)printf(
        "%llu events to 3 threads and 3 processes, %llu answers in each, no wake-up lost\n",
        (unsigned long long)event_count, (unsigned long long)event_count);
    return 0;
}
