/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: a lossy read that is overtaken at any instruction of it is thrown away and counted; an
 * evictable consumer that is overtaken at any instruction learns it at its peek or its release; an
 * observer that is overtaken walks again.
 *
 * Method: the producer runs in a signal handler that interrupts the reader every few microseconds,
 * wherever it stands, and publishes up to two laps. So each interleaving of a whole publication
 * with a read comes up on one core, without luck with the scheduler.
 *
 * Mutants this kills: lossy.mutants.
 */
#include "lamina/ring/lossy.h"
#include "lamina/ring/producer.h"
#include "lamina/ring/stat.h"
#include "ring_stream.h"
#include "starts.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>

#define BYTES_MAX 1500

static struct lam_ring ring;
static struct lam_ring_producer producer;
static uint64_t published;
static uint64_t interrupts;
static uint64_t random_state = 5;
static uint64_t interrupts_wanted;
static lam_atomic_u32 closed;

static void fail(const char *what, uint64_t number)
{
    (void)fprintf(stderr, "event %llu: %s\n", (unsigned long long)number, what);
    exit(1);
}

static uint32_t bytes_of(uint64_t number)
{
    return 8 + test_event_bytes(number, BYTES_MAX);
}

static int is_whole(const void *payload, const struct lam_event *event, uint64_t number)
{
    uint64_t found = 0;

    memcpy(&found, payload, 8);
    return found == number && event->payload_bytes == bytes_of(number) &&
           test_event_is(
               (const char *)payload + 8, event->payload_bytes - 8, number, event->sequence);
}

static int publish(void)
{
    uint32_t bytes = bytes_of(published);
    void *payload = NULL;

    if (lam_ring_producer_try_claim(&producer, bytes, &payload) != 1)
        return 0;
    memcpy(payload, &published, 8);
    test_event_fill((char *)payload + 8, bytes - 8, published, producer.next);
    lam_ring_producer_commit(&producer, bytes, 1, 0);
    published++;
    return 1;
}

static void interrupt(int signal_number)
{
    uint64_t count = test_random(&random_state) % 24;

    (void)signal_number;
    if (lam_load_relaxed(&closed))
        return;
    interrupts++;
    /* A consumer that gates is looked at by the clock once in 64 tries, and then evicted. */
    for (uint64_t tries = 0; count > 0 && tries < 200; tries++)
        count -= (uint64_t)publish();
    if (interrupts >= interrupts_wanted) {
        lam_ring_producer_close(&producer);
        lam_store_relaxed(&closed, 1);
    }
}

static void start_interrupts(uint32_t microseconds)
{
    struct sigaction action = {.sa_handler = interrupt, .sa_flags = SA_RESTART};
    struct itimerval timer = {
        .it_interval.tv_usec = microseconds, .it_value.tv_usec = microseconds};

    (void)sigaction(SIGALRM, &action, NULL);
    (void)setitimer(ITIMER_REAL, &timer, NULL);
}

static void stop_interrupts(void)
{
    static const struct itimerval never;

    (void)setitimer(ITIMER_REAL, &never, NULL);
}

static void open_ring(uint64_t wanted)
{
    struct lam_ring_options options = {
        .name = "interrupt", .depth = 64, .first_sequence = test_next_start()};

    published = interrupts = 0;
    interrupts_wanted = wanted;
    lam_store_relaxed(&closed, 0);
    if (lam_ring_create(&ring, &options, NULL) != 0 ||
        lam_ring_producer_attach(&producer, &ring, NULL, NULL) != 0)
        fail("cannot set up", 0);
}

static void close_ring(void)
{
    lam_ring_producer_detach(&producer);
    (void)lam_ring_destroy(&ring);
}

static uint64_t read_lossy(uint64_t wanted)
{
    struct lam_ring_consumer consumer;
    struct lam_ring_consumer_options options = {.policy = LAM_RING_LOSSY};
    struct lam_event event = {.payload = NULL};
    static uint8_t buffer[2048];
    uint64_t number = 0, lost = 0, lost_total = 0;
    int rc = 0;

    open_ring(wanted);
    if (lam_ring_consumer_attach(&consumer, &ring, &options, NULL) != 0)
        fail("cannot join", 0);
    start_interrupts(20);
    while (rc != -EPIPE) {
        uint64_t before = published;

        rc = lam_ring_consumer_try_read(&consumer, buffer, sizeof(buffer), &event, &lost);
        if (rc == -EOVERFLOW) {
            number += lost;
            lost_total += lost;
        } else if (rc == 1 && !is_whole(buffer, &event, number++)) {
            fail("torn, or not the one it should be", number - 1);
        } else if (rc == 0 && number < before) {
            fail("neither read nor missed", number);
        } else if (rc != 1 && rc != 0 && rc != -EPIPE) {
            fail(strerror(-rc), number);
        }
    }
    stop_interrupts();
    if (number != published)
        fail("the lossy stream ended here", number);
    lam_ring_consumer_detach(&consumer);
    close_ring();
    return lost_total;
}

/* Peeks up to eight, then releases: interrupted anywhere, and evicted where it held on. */
static uint64_t be_evicted(uint64_t wanted)
{
    struct lam_ring_consumer consumer;
    struct lam_ring_consumer_options options = {
        .policy = LAM_RING_GATE_THEN_EVICT, .patience_ns = 1};
    struct lam_event event = {.payload = NULL};
    struct lam_ring_stat stat;
    uint64_t number = 0, lost = 0, evictions = 0;
    int rc = 0;

    open_ring(wanted);
    if (lam_ring_consumer_attach(&consumer, &ring, &options, NULL) != 0)
        fail("cannot join", 0);
    start_interrupts(20);
    while (rc != -EPIPE) {
        rc = lam_ring_consumer_try_peek(&consumer, &event);
        if (rc == 1) {
            int whole = is_whole(event.payload, &event, number++);

            rc = number % 8 != 0 ? 0 : lam_ring_consumer_release(&consumer);
            if (rc == 0 && number % 8 == 0 && !whole)
                fail("changed while it was held, and nobody said so", number - 1);
        }
        if (rc == -ESTALE) {
            evictions++;
            rc = lam_ring_consumer_readmit(
                &consumer, number % 4 != 0 ? LAM_RING_OLDEST : LAM_RING_HEAD, &lost, NULL);
            number += lost;
            if (rc == 0 && lost > published)
                fail("comes again", number);
        }
        if (rc != 0 && rc != -EPIPE)
            fail(strerror(-rc), number);
    }
    stop_interrupts();
    if (number != published)
        fail("the evicted stream ended here", number);
    /* Some may come while it is being readmitted, and are not seen from here. */
    if (lam_ring_stat_read(&ring, &stat) != 0 || stat.evicted < evictions)
        fail("evictions are miscounted", stat.evicted);
    lam_ring_consumer_detach(&consumer);
    close_ring();
    return evictions;
}

/* An observer, too, walks over cells that are overwritten under it. */
static void look_in(uint64_t wanted)
{
    struct lam_ring_stat stat;

    open_ring(wanted);
    start_interrupts(20);
    while (!lam_load_relaxed(&closed)) {
        uint64_t before = published;
        int rc = lam_ring_stat_read(&ring, &stat);

        if (rc != 0)
            fail("a sound ring makes no sense to an observer", before);
        if (stat.events < before || stat.events > published)
            fail("the observer counts otherwise", stat.events);
    }
    stop_interrupts();
    close_ring();
}

int main(void)
{
    const char *effort = getenv("LAMINA_EFFORT");
    uint64_t wanted = 15000 * (effort == NULL ? 1 : strtoull(effort, NULL, 10));
    uint64_t lost = read_lossy(wanted);
    uint64_t evictions = be_evicted(wanted);

    look_in(wanted);
    /* Many ends: the close, too, must be believed only by who was not lapped before it. */
    for (int i = 0; i < 400; i++)
        lost += read_lossy(10);
    (void)printf("interrupted %llu times each: %llu events missed and counted, %llu evictions\n",
        (unsigned long long)wanted, (unsigned long long)lost, (unsigned long long)evictions);
    return lost > 0 && evictions > 0 ? 0 : 1;
}
