/* SPDX-License-Identifier: Apache-2.0 */
/* Two processes, one ring: prices are written where they will be read, and read where they lie. */
#include "lamina/ring/consumer.h"
#include "lamina/ring/producer.h"

#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

struct tick {
    uint64_t time_ns;
    double price;
};

static int read_ticks(struct lam_ring *ring, uint64_t end_ns)
{
    struct lam_ring_consumer_options options = {.name = "reader", .start = LAM_RING_OLDEST};
    struct lam_ring_consumer consumer;
    struct lam_event event;
    int count = 0;

    if (lam_ring_consumer_attach(&consumer, ring, &options, NULL) != 0)
        return 1;
    while (lam_ring_consumer_peek_until(&consumer, end_ns, &event) == 0) {
        const struct tick *tick = event.payload;
        printf("tick %d: %.2f\n", ++count, tick->price);
        lam_ring_consumer_release(&consumer);
    }
    lam_ring_consumer_detach(&consumer); /* the producer has closed the ring */
    return count == 3 ? 0 : 1;
}

int main(void)
{
    struct lam_ring_options options = {.name = "hello"};
    uint64_t end_ns = lam_deadline_after_ns(10 * LAM_NS_PER_S);
    struct lam_ring ring;
    struct lam_ring_producer producer;
    struct tick *tick;
    int status = 1;

    if (lam_ring_create(&ring, &options, NULL) != 0)
        return 1;
    pid_t child = fork();
    if (child == 0)
        return read_ticks(&ring, end_ns);
    if (lam_ring_producer_attach(&producer, &ring, NULL, NULL) != 0)
        return 1;
    for (int i = 1; i <= 3; i++) {
        if (lam_ring_producer_claim_until(&producer, sizeof(*tick), end_ns, (void **)&tick) != 0)
            return 1; /* the reader holds the ring, and is too slow */
        *tick = (struct tick){.time_ns = lam_clock_now_ns(), .price = 100 + i / 4.0};
        lam_ring_producer_commit(&producer, sizeof(*tick), 1, 0);
    }
    lam_ring_producer_close(&producer);
    waitpid(child, &status, 0);
    lam_ring_producer_detach(&producer);
    return lam_ring_destroy(&ring) != 0 || status != 0;
}
