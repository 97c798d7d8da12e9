/* SPDX-License-Identifier: Apache-2.0 */
/*
 * read.c: one reader. Sleeps while there is nothing, checks each tick, counts how old it was.
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "lamina/ring/consumer.h"
#include "tick.h"

static void take(const struct tick *tick, struct tick_result *result)
{
    uint64_t age_ns = lam_clock_now_ns() - tick->sent_ns;

    if (tick->number != result->received || tick->check != tick_check(tick))
        result->wrong++;
    result->received++;
    if (age_ns > result->latest_ns)
        result->latest_ns = age_ns;
    lam_histogram_record(&result->latency, age_ns);
}

/* Returns 0 when the publisher has closed the ring, or an error. */
static int read_all(
    struct lam_ring_consumer *consumer, uint64_t nap_at_number, struct tick_result *result)
{
    struct timespec nap = {.tv_nsec = TICKS_NAP_NS};
    struct lam_event event;
    int rc;

    for (;;) {
        rc = lam_ring_consumer_peek_until(consumer, LAM_DEADLINE_NEVER, &event);
        if (rc != 0)
            return rc == -EPIPE ? 0 : rc;
        if (event.payload_bytes != sizeof(struct tick))
            return -EPROTO;
        take(event.payload, result);
        if (result->received == nap_at_number)
            (void)nanosleep(&nap, NULL); /* with the tick in hand: its cell stays ours */
        lam_ring_consumer_release(consumer);
    }
}

int read_ticks(const char *name, uint32_t index, uint64_t nap_at_number, struct tick_result *result)
{
    struct lam_ring_attach_options options = {.name = name, .access = LAM_ACCESS_READ};
    struct lam_ring_consumer_options end = {.start = LAM_RING_OLDEST, .wait = LAM_WAIT_FUTEX};
    struct lam_ring_consumer consumer;
    struct lam_error error = {""};
    struct lam_ring ring;
    char own_name[32];
    int rc = lam_ring_attach(&ring, &options, &error);

    (void)snprintf(own_name, sizeof(own_name),
        nap_at_number != 0 ? TICKS_SLOW_NAME : TICKS_READER_NAME "-%u", index);
    end.name = own_name;
    if (rc == 0)
        rc = lam_ring_consumer_attach(&consumer, &ring, &end, &error);
    if (rc != 0) {
        (void)fprintf(stderr, "%s: %s\n", own_name, error.text);
        return 1;
    }
    rc = read_all(&consumer, nap_at_number, result);
    if (rc != 0)
        (void)fprintf(stderr, "%s: %s\n", own_name, strerror(-rc));
    lam_ring_consumer_detach(&consumer);
    lam_ring_detach(&ring);
    return rc == 0 && result->wrong == 0 ? 0 : 1;
}
