/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_TEST_MANY_STREAM_H
#define LAM_TEST_MANY_STREAM_H

/*
 * Streams of several producers on one ring. An event says which producer's and which number it is,
 * and the rest of its bytes follow from that and from where it lies; so a consumer checks order and
 * completeness for each producer, and every byte. What order all of them were in goes into a digest
 * that must be the same at all consumers.
 */

#include "lamina/ring/consumer.h"
#include "lamina/ring/many.h"
#include "processes.h"
#include "ring_stream.h"

#define MANY_MAX 64

struct many_word {
    uint32_t producer;
    uint32_t number;
};

struct many_seen {
    uint32_t next[MANY_MAX]; /* number of the event that comes next from each producer */
    uint64_t count;
    uint64_t digest;
};

/*
 * Publish event @number of @producer, of up to @bytes_max bytes. Now and then claims more than it
 * commits, and aborts a claim first. The claim's deadline is a bound of the test.
 */
static inline void many_publish(
    struct lam_ring_many_producer *producer, uint32_t id, uint32_t number, uint32_t bytes_max)
{
    struct many_word word = {.producer = id, .number = number};
    uint32_t bytes = sizeof(word) + test_event_bytes(number * 64 + id, bytes_max);
    uint64_t deadline_ns = lam_deadline_after_ns(60 * LAM_NS_PER_S);
    void *payload = NULL;

    if (number % 17 == id % 17) {
        TEST_CHECK(lam_ring_many_claim_until(producer, bytes, deadline_ns, &payload) == 0);
        memset(payload, 0xa5, bytes);
        lam_ring_many_abort(producer);
    }
    TEST_CHECK(lam_ring_many_claim_until(
                   producer, number % 7 == 3 ? bytes + 100 : bytes, deadline_ns, &payload) == 0);
    memcpy(payload, &word, sizeof(word));
    test_event_fill((char *)payload + sizeof(word), bytes - (uint32_t)sizeof(word),
        number * 64 + id, producer->start);
    LAM_CRASH_POINT("claim.payload");
    lam_ring_many_commit(producer, bytes, 1, 0);
}

/* Check an event. Returns which producer's it is. */
static inline uint32_t many_check(
    struct many_seen *seen, const struct lam_event *event, uint32_t bytes_max)
{
    struct many_word word = {.producer = 0};

    TEST_CHECK(event->payload_bytes >= sizeof(word) && event->kind == 1 && event->flags == 0);
    memcpy(&word, event->payload, sizeof(word));
    TEST_CHECK(word.producer < MANY_MAX);
    TEST_CHECK(word.number == seen->next[word.producer]);
    seen->next[word.producer]++;
    TEST_CHECK(event->payload_bytes ==
               sizeof(word) + test_event_bytes(word.number * 64 + word.producer, bytes_max));
    TEST_CHECK(test_event_is((const char *)event->payload + sizeof(word),
        event->payload_bytes - (uint32_t)sizeof(word), word.number * 64 + word.producer,
        event->sequence));
    seen->count++;
    seen->digest =
        (seen->digest ^ word.producer ^ event->sequence * 64) * UINT64_C(0x9e3779b97f4a7c15);
    return word.producer;
}

#endif
