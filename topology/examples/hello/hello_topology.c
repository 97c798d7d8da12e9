/* SPDX-License-Identifier: Apache-2.0 */
/* One program, two roles: `lamina up hello.yaml` starts a caller and two listeners. */
#include "lamina/ring/consumer.h"
#include "lamina/ring/producer.h"
#include "lamina/topology/topology.h"

#include <stdio.h>
#include <string.h>

static int call(struct lam_topology *topology, struct lam_ring *ring)
{
    const char *text = lam_topology_parameter(topology, "greeting");
    struct lam_ring_producer producer;
    void *payload;

    if (lam_ring_producer_attach(&producer, ring, NULL, NULL) != 0 ||
        lam_topology_wait_ready_until(topology, "listeners", LAM_DEADLINE_NEVER, NULL) != 0 ||
        lam_ring_producer_try_claim(&producer, 64, &payload) != 1)
        return 1;
    lam_ring_producer_commit(&producer, (size_t)snprintf(payload, 64, "%.63s", text) + 1, 0, 0);
    lam_ring_producer_close(&producer); /* the listeners see the end */
    lam_ring_producer_detach(&producer);
    return 0;
}

static int listen_once(struct lam_topology *topology, struct lam_ring *ring)
{
    struct lam_ring_consumer_options options = {.name = lam_topology_end_name(topology)};
    struct lam_ring_consumer consumer;
    struct lam_event event;

    if (lam_ring_consumer_attach(&consumer, ring, &options, NULL) != 0)
        return 1;
    lam_topology_ready(topology);
    if (lam_ring_consumer_peek_until(&consumer, LAM_DEADLINE_NEVER, &event) != 0)
        return 1;
    printf("%s heard: %s\n", options.name, (const char *)event.payload);
    lam_ring_consumer_detach(&consumer);
    return 0;
}

int main(void)
{
    struct lam_topology *topology;
    struct lam_error error;
    struct lam_ring ring; /* `up` has made it */
    char name[LAM_TOPOLOGY_RING_NAME_BYTES];
    struct lam_ring_attach_options options = {.name = name, .access = LAM_ACCESS_WRITE};

    if (lam_topology_open(&topology, NULL, NULL, 0, &error) != 0 ||
        lam_topology_ring_name(topology, "calls", 0, name) != 0 ||
        lam_ring_attach(&ring, &options, &error) != 0)
        return fprintf(stderr, "%s\n", error.text) != 0;
    int calls = strcmp(lam_topology_role(topology), "caller") == 0;
    int failed = calls ? call(topology, &ring) : listen_once(topology, &ring);
    lam_ring_detach(&ring);
    lam_topology_close(topology);
    return failed;
}
