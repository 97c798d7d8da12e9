/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Orders are journaled, then worked on by whichever of three processes is free, and confirmed once
 * they are in the journal: a consumer that goes after another, and a group.
 */
#include "lamina/ring/consumer.h"
#include "lamina/ring/group.h"
#include "lamina/ring/producer.h"
#include "lamina/ring/progress.h"

#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#define ORDERS  300
#define WORKERS 3

static int work(struct lam_ring *ring, uint64_t end_ns)
{
    struct lam_ring_member_options options = {.group = "workers"};
    struct lam_ring_member member;
    struct lam_event order;
    int count = 0;

    if (lam_ring_member_attach(&member, ring, &options, NULL) != 0)
        return -1;
    for (; lam_ring_member_peek_until(&member, end_ns, &order) == 0; count++)
        lam_ring_member_release(&member);
    lam_ring_member_detach(&member);
    return count;
}

/* Read all as @name, after @leader has. */
static int read_all(struct lam_ring *ring, const char *name, const char *leader, uint64_t end_ns)
{
    struct lam_ring_consumer_options options = {
        .name = name, .after = &leader, .after_count = leader != NULL, .after_deadline_ns = end_ns};
    struct lam_ring_consumer consumer;
    struct lam_event order;
    int count = 0;

    if (lam_ring_consumer_attach(&consumer, ring, &options, NULL) != 0)
        return -1;
    for (; lam_ring_consumer_peek_until(&consumer, end_ns, &order) == 0; count++)
        (void)lam_ring_consumer_release(&consumer);
    lam_ring_consumer_detach(&consumer);
    return count;
}

static int run_child(struct lam_ring *ring, int child, uint64_t end_ns)
{
    if (child == 0)
        return read_all(ring, "journal", NULL, end_ns) == ORDERS ? 0 : 1;
    if (child == 1)
        return read_all(ring, "confirm", "journal", end_ns) == ORDERS ? 0 : 1;
    return work(ring, end_ns) * 100 / ORDERS; /* its share, in percent */
}

int main(void)
{
    struct lam_ring_options options = {.name = "orders", .depth = 64};
    uint64_t end_ns = lam_deadline_after_ns(10 * LAM_NS_PER_S);
    struct lam_ring_producer producer;
    struct lam_ring ring;
    pid_t children[2 + WORKERS];
    int failed = 0;
    void *order;

    if (lam_ring_create(&ring, &options, NULL) != 0)
        return 1;
    for (int i = 0; i < 2 + WORKERS; i++)
        if ((children[i] = fork()) == 0)
            return run_child(&ring, i, end_ns);
    if (lam_ring_producer_attach(&producer, &ring, NULL, NULL) != 0 ||
        lam_ring_producer_wait_consumers_until(&producer, 2 + WORKERS, end_ns) != 0)
        return 1;
    for (int i = 0; i < ORDERS; i++) {
        if (lam_ring_producer_claim_until(&producer, sizeof(i), end_ns, &order) != 0)
            return 1;
        *(int *)order = i;
        lam_ring_producer_commit(&producer, sizeof(i), 1, 0);
    }
    lam_ring_producer_close(&producer);
    for (int i = 0; i < 2 + WORKERS; i++) {
        int status = 1;

        (void)waitpid(children[i], &status, 0);
        if (i < 2)
            failed |= status;
        else
            printf("worker %d did %d %%\n", i - 1, WEXITSTATUS(status));
    }
    printf("%s: %d orders journaled, then confirmed\n", failed ? "failed" : "done", ORDERS);
    lam_ring_producer_detach(&producer);
    return lam_ring_destroy(&ring) != 0 || failed;
}
