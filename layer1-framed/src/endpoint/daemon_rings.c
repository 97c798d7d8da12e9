/* SPDX-License-Identifier: Apache-2.0 */
/* The rings of a client, and the ends of them that are its daemon's. */
#include "daemon_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define LATER_FDS (LAM_LANE_COUNT + 2)

struct lam_lanes_options lam_daemon_lanes_options(
    const struct lam_daemon *daemon, uint64_t depth, uint32_t cell_bytes)
{
    struct lam_lanes_options options = {.ring = {.backing = LAM_BACKING_MEMFD,
                                            .name = daemon->place.name,
                                            .depth = depth,
                                            .cell_bytes = cell_bytes,
                                            .first_sequence = daemon->options.first_sequence,
                                            .waiting = daemon->options.waiting}};

    memcpy(options.share_percent, daemon->options.share_percent, sizeof(options.share_percent));
    return options;
}

static int attach_ends(struct lam_daemon *daemon, struct lam_daemon_slot *slot,
    const struct lam_endpoint_welcome *welcome, struct lam_error *error)
{
    struct lam_lanes_receiver_options receiver = {
        .receiver = {.consumer = {.name = "daemon",
                         .wait = daemon->options.wait,
                         .spin_ns = daemon->options.spin_ns},
            .message_bytes_max = welcome->message_bytes_max,
            .is_checked = (welcome->extensions & LAM_EVENT_CRC32C) != 0},
        .turns_max = daemon->options.turns_max};
    struct lam_lanes_sender_options sender = {
        .sender = {.producer = {.wait = daemon->options.wait, .spin_ns = daemon->options.spin_ns},
            .message_bytes_max = welcome->message_bytes_max,
            .extensions = welcome->extensions},
        .answer = daemon->options.pressure_answer,
        .pressure_max = daemon->options.pressure_max,
        .counts = &daemon->counts.pressure};
    int rc = lam_lanes_receiver_attach(&slot->receiver, &slot->in, &receiver, error);

    if (rc != 0)
        return rc;
    rc = lam_lanes_sender_attach(&slot->sender, &slot->out, &sender, error);
    if (rc == 0) {
        rc = lam_framed_sender_attach(&slot->answers, &slot->answers_ring, &sender.sender, error);
        if (rc != 0)
            lam_lanes_sender_detach(&slot->sender);
    }
    if (rc != 0)
        lam_lanes_receiver_detach(&slot->receiver);
    return rc;
}

/* Lanes both ways, and as much again for answers. */
static int create_rings(
    struct lam_daemon_slot *slot, const struct lam_lanes_options *options, struct lam_error *error)
{
    int rc = lam_lanes_create(&slot->in, options, error);

    if (rc != 0)
        return rc;
    rc = lam_lanes_create(&slot->out, options, error);
    if (rc == 0) {
        rc = lam_ring_create(&slot->answers_ring, &options->ring, error);
        if (rc != 0)
            (void)lam_lanes_destroy(&slot->out);
    }
    if (rc != 0)
        (void)lam_lanes_destroy(&slot->in);
    return rc;
}

void lam_daemon_destroy_rings(struct lam_daemon_slot *slot)
{
    (void)lam_lanes_destroy(&slot->in);
    (void)lam_lanes_destroy(&slot->out);
    (void)lam_ring_destroy(&slot->answers_ring);
}

/*
 * Descriptors for what comes when it is too late to refuse: a ring is opened once more to be
 * passed, and each lane has a watch, the first of them its notifier.
 */
static int keep_descriptors(const struct lam_daemon_slot *slot, int kept[LATER_FDS])
{
    int rc = 0;

    for (uint32_t i = 0; i < LATER_FDS; i++) {
        kept[i] = rc == 0 ? fcntl(slot->socket, F_DUPFD_CLOEXEC, 0) : -1;
        if (rc == 0 && kept[i] < 0)
            rc = -errno;
    }
    return rc;
}

static void give_back(const int kept[LATER_FDS])
{
    for (uint32_t i = 0; i < LATER_FDS; i++)
        if (kept[i] >= 0)
            (void)close(kept[i]);
}

int lam_daemon_make_rings(struct lam_daemon *daemon, struct lam_daemon_slot *slot,
    const struct lam_endpoint_welcome *welcome, struct lam_error *error)
{
    struct lam_lanes_options options =
        lam_daemon_lanes_options(daemon, welcome->depth, welcome->cell_bytes);
    int kept[LATER_FDS];
    int rc = keep_descriptors(slot, kept);

    if (rc == 0)
        rc = create_rings(slot, &options, error);
    else
        (void)lam_error_set(error, rc, "no descriptors: %s", strerror(-rc));
    if (rc == 0) {
        rc = attach_ends(daemon, slot, welcome, error);
        if (rc != 0)
            lam_daemon_destroy_rings(slot);
    }
    give_back(kept);
    return rc;
}
