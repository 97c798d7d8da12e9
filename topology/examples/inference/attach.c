/* SPDX-License-Identifier: Apache-2.0 */
#include "attach.h"

#include <errno.h>
#include <string.h>

static int attach_ring(struct lam_ring *ring, const struct lam_topology *topology,
    const struct ring_of_edge *wanted, enum lam_access access, struct lam_error *error)
{
    char name[LAM_TOPOLOGY_RING_NAME_BYTES];
    struct lam_ring_attach_options options = {.name = name, .access = access};
    int rc = lam_topology_ring_name(topology, wanted->edge, wanted->index, name);

    if (rc != 0)
        return lam_error_set(error, -EINVAL,
            "the topology has no ring %u of an edge %s: this role needs the edges " EDGE_STEPS
            " and " EDGE_REPLIES,
            wanted->index, wanted->edge);
    rc = lam_typed_channel_attach(ring, &options, wanted->codec, error);
    return rc == 0 ? 0 : lam_error_prefix(error, rc, "edge %s: ", wanted->edge);
}

int attach_sender(struct sending_end *end, struct lam_topology *topology,
    const struct ring_of_edge *wanted, struct lam_error *error)
{
    struct lam_zerocopy_sender_options options;
    int rc = attach_ring(&end->ring, topology, wanted, LAM_ACCESS_WRITE, error);

    if (rc != 0)
        return rc;
    memset(&options, 0, sizeof(options));
    options.producer.wait = lam_topology_edge(topology, wanted->edge)->wait;
    rc = lam_zerocopy_sender_attach(&end->sender, &end->ring, wanted->codec, &options, error);
    if (rc == 0)
        return 0;
    lam_ring_detach(&end->ring);
    return lam_error_prefix(error, rc, "edge %s: ", wanted->edge);
}

int attach_receiver(struct receiving_end *end, struct lam_topology *topology,
    const struct ring_of_edge *wanted, struct lam_error *error)
{
    struct lam_zerocopy_receiver_options options;
    int rc = attach_ring(&end->ring, topology, wanted, LAM_ACCESS_READ, error);

    if (rc != 0)
        return rc;
    memset(&options, 0, sizeof(options));
    options.framed.consumer.name = lam_topology_end_name(topology);
    options.framed.consumer.start = LAM_RING_HEAD;
    options.framed.consumer.wait = lam_topology_edge(topology, wanted->edge)->wait;
    rc = lam_zerocopy_receiver_attach(&end->receiver, &end->ring, wanted->codec, &options, error);
    if (rc == 0)
        return 0;
    lam_ring_detach(&end->ring);
    return lam_error_prefix(error, rc, "edge %s: ", wanted->edge);
}
