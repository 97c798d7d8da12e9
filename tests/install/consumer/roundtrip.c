/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A user of the installed package, in the common part of C and C++: one event through a ring of its
 * own, and the same bytes come out. Exit 0, or the number of the step that failed.
 */
#include <string.h>

#include "lamina/ring/consumer.h"
#include "lamina/ring/producer.h"
#include "lamina/ring/ring.h"

int main(void)
{
    static const char sent[] = "over the installed package";
    struct lam_ring_options options;
    struct lam_ring ring;
    struct lam_ring_producer producer;
    struct lam_ring_consumer consumer;
    struct lam_event event;
    void *payload;
    int same;

    memset(&options, 0, sizeof(options));
    options.backing = LAM_BACKING_ANONYMOUS;
    options.name = "install.roundtrip";
    if (lam_ring_create(&ring, &options, NULL) != 0)
        return 1;
    if (lam_ring_producer_attach(&producer, &ring, NULL, NULL) != 0)
        return 2;
    if (lam_ring_consumer_attach(&consumer, &ring, NULL, NULL) != 0)
        return 3;
    if (lam_ring_producer_try_claim(&producer, sizeof(sent), &payload) != 1)
        return 4;
    memcpy(payload, sent, sizeof(sent));
    lam_ring_producer_commit(&producer, sizeof(sent), 1, 0);
    if (lam_ring_consumer_try_peek(&consumer, &event) != 1)
        return 5;
    same = event.payload_bytes == sizeof(sent) && memcmp(event.payload, sent, sizeof(sent)) == 0;
    lam_ring_consumer_release(&consumer);

    lam_ring_consumer_detach(&consumer);
    lam_ring_producer_close(&producer);
    lam_ring_producer_detach(&producer);
    lam_ring_detach(&ring);
    return same ? 0 : 6;
}
