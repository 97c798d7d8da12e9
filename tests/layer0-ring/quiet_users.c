/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: who uses the inline calls as their comments say is warned of nothing, however the result
 * is asked for. Method: quiet_users.sh compiles this alone, at each level, warnings being errors.
 */
#include <stdio.h>
#include <string.h>

#include "lamina/ring/consumer.h"
#include "lamina/ring/group.h"
#include "lamina/ring/lossy.h"
#include "lamina/ring/many.h"
#include "lamina/ring/producer.h"
#include "lamina/ring/timestamp.h"

int take_or_give_up(struct lam_ring_consumer *consumer, char *to);
int print_or_give_up(struct lam_ring_consumer *consumer);
int print_all(struct lam_ring_consumer *consumer);
int print_what_is_there(struct lam_ring_consumer *consumer);
int print_as_member(struct lam_ring_member *member);
int print_lossy(struct lam_ring_consumer *consumer);
int put_one(struct lam_ring_producer *producer, const char *from);
int put_some(struct lam_ring_producer *producer, const char *from);
int put_as_one_of_many(struct lam_ring_many_producer *producer, const char *from);

int take_or_give_up(struct lam_ring_consumer *consumer, char *to)
{
    struct lam_event event;
    int rc = lam_ring_consumer_peek_until(consumer, LAM_DEADLINE_NEVER, &event);

    if (rc != 0)
        return rc;
    memcpy(to, event.payload, event.payload_bytes);
    return lam_ring_consumer_release_to(consumer, event.end);
}

int print_or_give_up(struct lam_ring_consumer *consumer)
{
    struct lam_event event;

    if (lam_ring_consumer_peek_until(consumer, LAM_DEADLINE_NEVER, &event) < 0)
        return -1;
    (void)puts(event.payload);
    return lam_ring_consumer_release(consumer);
}

int print_all(struct lam_ring_consumer *consumer)
{
    struct lam_event event;
    int rc;

    while ((rc = lam_ring_consumer_peek_until(consumer, LAM_DEADLINE_NEVER, &event)) == 0) {
        (void)puts(event.payload);
        (void)lam_ring_consumer_release(consumer);
    }
    return rc;
}

int print_what_is_there(struct lam_ring_consumer *consumer)
{
    struct lam_event event;
    int rc = lam_ring_consumer_try_peek(consumer, &event);

    if (rc <= 0)
        return rc;
    (void)puts(event.payload);
    if (lam_ring_consumer_try_peek(consumer, &event) == 1)
        (void)puts(event.payload);
    return lam_ring_consumer_release(consumer);
}

int print_as_member(struct lam_ring_member *member)
{
    struct lam_event event;

    if (lam_ring_member_peek_until(member, LAM_DEADLINE_NEVER, &event) < 0)
        return -1;
    (void)puts(event.payload);
    lam_ring_member_release(member);
    return 0;
}

int print_lossy(struct lam_ring_consumer *consumer)
{
    struct lam_event event;
    char text[64];
    uint64_t lost;
    int rc = lam_ring_consumer_try_read(consumer, text, sizeof(text), &event, &lost);

    if (rc == 1)
        (void)printf("%.*s\n", (int)event.payload_bytes, text);
    return rc;
}

int put_one(struct lam_ring_producer *producer, const char *from)
{
    void *payload;
    int rc = lam_ring_producer_try_claim(producer, 8, &payload);

    if (rc == 0)
        rc = lam_ring_producer_claim_until(producer, 8, LAM_DEADLINE_NEVER, &payload) == 0;
    if (rc <= 0)
        return rc;
    memcpy(payload, from, 8);
    lam_ring_producer_commit(producer, 8, 0, 0);
    return 0;
}

int put_some(struct lam_ring_producer *producer, const char *from)
{
    struct lam_ring_batch batch;
    void *payload;

    if (lam_ring_producer_claim_batch_until(producer, 8, LAM_DEADLINE_NEVER, &batch) != 0)
        return -1;
    while (lam_ring_batch_stage(&batch, 8, 0, 0, &payload) == 1)
        memcpy(payload, from, 8);
    lam_ring_batch_commit(&batch);
    if (lam_ring_producer_try_claim_batch(producer, 8, &batch) != 1)
        return -1;
    if (lam_ring_batch_stage(&batch, 8, 0, 0, &payload) == 1)
        memcpy(payload, from, 8);
    lam_ring_batch_commit(&batch);
    return 0;
}

int put_as_one_of_many(struct lam_ring_many_producer *producer, const char *from)
{
    void *payload;

    if (lam_ring_many_try_claim(producer, 8, &payload) != 1)
        return -1;
    memcpy(payload, from, 8);
    lam_ring_many_commit(producer, 8, 0, 0);
    if (lam_ring_many_try_claim(producer, 8, &payload) <= 0)
        return -1;
    memcpy(payload, from, 8);
    lam_ring_many_commit(producer, 8, 0, 0);
    return 0;
}
