/* SPDX-License-Identifier: Apache-2.0 */
/* A question to another process and its answer, by two rings: how long does that take? */
#include "lamina/base/histogram.h"
#include "lamina/ring/consumer.h"
#include "lamina/ring/producer.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROUNDS 10000

struct ends {
    struct lam_ring_producer to;
    struct lam_ring_consumer from;
};

static int attach(struct ends *ends, struct lam_ring *to, struct lam_ring *from, uint64_t end_ns)
{
    struct lam_ring_consumer_options options = {.start = LAM_RING_OLDEST};

    return lam_ring_producer_attach(&ends->to, to, NULL, NULL) != 0 ||
           lam_ring_consumer_attach(&ends->from, from, &options, NULL) != 0 ||
           lam_ring_producer_wait_consumers_until(&ends->to, 1, end_ns) != 0;
}

static int say(struct ends *ends, uint64_t number, uint64_t end_ns)
{
    void *payload;

    if (lam_ring_producer_claim_until(&ends->to, sizeof(number), end_ns, &payload) != 0)
        return -1;
    memcpy(payload, &number, sizeof(number));
    lam_ring_producer_commit(&ends->to, sizeof(number), 1, 0);
    return 0;
}

static int hear(struct ends *ends, uint64_t *number, uint64_t end_ns)
{
    struct lam_event event;
    int rc = lam_ring_consumer_peek_until(&ends->from, end_ns, &event);

    if (rc == 0) {
        memcpy(number, event.payload, sizeof(*number));
        rc = lam_ring_consumer_release(&ends->from);
    }
    return rc;
}

static int answer(struct ends *ends, uint64_t end_ns)
{
    uint64_t number;
    int rc = 0;

    while (rc == 0 && (rc = hear(ends, &number, end_ns)) == 0)
        rc = say(ends, number, end_ns);
    return rc == -EPIPE ? 0 : 1; /* who asks has closed its ring */
}

static void detach(struct ends *ends)
{
    lam_ring_consumer_detach(&ends->from);
    lam_ring_producer_detach(&ends->to);
}

static int ask(struct ends *ends, struct lam_histogram *histogram, uint64_t end_ns)
{
    for (uint64_t number = 0; number < ROUNDS; number++) {
        uint64_t begin_ns = lam_clock_now_ns();
        uint64_t heard = 0;

        if (say(ends, number, end_ns) != 0 || hear(ends, &heard, end_ns) != 0 || heard != number)
            return 1;
        lam_histogram_record(histogram, lam_clock_now_ns() - begin_ns);
    }
    lam_ring_producer_close(&ends->to);
    return 0;
}

int main(void)
{
    static struct lam_histogram histogram;
    struct lam_ring_options options = {.name = "pingpong", .depth = 64};
    uint64_t end_ns = lam_deadline_after_ns(20 * LAM_NS_PER_S);
    uint64_t median_ns = 0, high_ns = 0;
    struct lam_ring there, back;
    struct ends ends;
    int status = 1;
    pid_t child;

    if (lam_ring_create(&there, &options, NULL) != 0 || lam_ring_create(&back, &options, NULL) != 0)
        return 1;
    child = fork();
    if (child == 0) {
        status = attach(&ends, &back, &there, end_ns) || answer(&ends, end_ns);
        detach(&ends);
        return status;
    }
    if (attach(&ends, &there, &back, end_ns) || ask(&ends, &histogram, end_ns))
        return 1;
    (void)waitpid(child, &status, 0);
    (void)lam_histogram_quantile(&histogram, 500, &median_ns);
    (void)lam_histogram_quantile(&histogram, 990, &high_ns);
    printf("%d round trips: half of them within %.1f us, 99 %% within %.1f us\n", ROUNDS,
        (double)median_ns / 1e3, (double)high_ns / 1e3);
    detach(&ends);
    return lam_ring_destroy(&there) != 0 || lam_ring_destroy(&back) != 0 || status != 0;
}
