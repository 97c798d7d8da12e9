/* SPDX-License-Identifier: Apache-2.0 */
/* A daemon begins and ends: its options, what it allocates for all clients. */
#include "conduct.h"
#include "daemon_internal.h"
#include "place.h"
#include "shortage.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

static uint64_t depth_of(const struct lam_daemon_options *options)
{
    return options->depth != 0 ? options->depth : LAM_DAEMON_DEPTH_DEFAULT;
}

static int check_options(const struct lam_daemon_options *options, struct lam_error *error)
{
    uint64_t depth = depth_of(options);

    if (options->clients_max > LAM_DAEMON_CLIENTS_MAX)
        return lam_error_set(error, -EINVAL, "clients_max is %u: at most %u", options->clients_max,
            LAM_DAEMON_CLIENTS_MAX);
    if (options->waiting > LAM_RING_SPIN_ONLY || options->wait > LAM_WAIT_FUTEX)
        return lam_error_set(error, -EINVAL, "waiting is %d and wait %d: there is no such way",
            (int)options->waiting, (int)options->wait);
    if (options->version_min > options->version_max)
        return lam_error_set(error, -EINVAL, "version_min is %u, above version_max, %u",
            options->version_min, options->version_max);
    if ((options->features_required & ~options->features_offered) != 0)
        return lam_error_set(error, -EINVAL,
            "features_required has 0x%llx that features_offered, 0x%llx, has not",
            (unsigned long long)options->features_required,
            (unsigned long long)options->features_offered);
    if (lam_endpoint_check_conduct(options->extensions_offered, options->extensions_required,
            options->pressure_answer, options->pressure_max, error) != 0)
        return -EINVAL;
    if (options->depth_max != 0 && options->depth_max < depth)
        return lam_error_set(error, -EINVAL, "depth_max is %llu, below depth, %llu",
            (unsigned long long)options->depth_max, (unsigned long long)depth);
    if (depth == 1 || (depth & (depth - 1)) != 0)
        return lam_error_set(error, -EINVAL, "depth is %llu, not a power of two from 2 on",
            (unsigned long long)depth);
    if (options->message_bytes_max > LAM_FRAMED_MESSAGE_BYTES_MAX)
        return lam_error_set(error, -EINVAL, "message_bytes_max is %llu: at most %llu",
            (unsigned long long)options->message_bytes_max,
            (unsigned long long)LAM_FRAMED_MESSAGE_BYTES_MAX);
    return 0;
}

static void set_terms(struct lam_daemon *daemon, const struct lam_daemon_options *options)
{
    uint64_t depth = depth_of(options);
    uint32_t cell_bytes =
        options->cell_bytes != 0 ? options->cell_bytes : LAM_RING_CELL_BYTES_DEFAULT;

    daemon->terms = (struct lam_endpoint_terms){.version_min = options->version_min,
        .version_max = options->version_max,
        .features_required = options->features_required,
        .features_offered = options->features_offered,
        .type_hash = options->type_hash,
        .depth = depth,
        .depth_max = options->depth_max > depth ? options->depth_max : depth,
        .message_bytes_max = options->message_bytes_max,
        .cell_bytes = cell_bytes,
        .cell_bytes_max = cell_bytes,
        .lanes = LAM_LANE_COUNT,
        .extensions_offered = (uint8_t)options->extensions_offered,
        .extensions_required = (uint8_t)options->extensions_required,
        .pressure = (uint8_t)options->pressure_answer,
        .pressure_required = options->pressure_required != 0};
}

/* What no client's geometry may break, tried before anyone comes. */
static int check_lanes(struct lam_daemon *daemon, struct lam_error *error)
{
    struct lam_lanes_options options =
        lam_daemon_lanes_options(daemon, daemon->terms.depth, daemon->terms.cell_bytes);
    uint64_t bytes;

    options.ring.name = "endpoint";
    return lam_lanes_bytes(&options, &bytes, error);
}

static int allocate(struct lam_daemon *daemon, struct lam_error *error)
{
    daemon->slot_count = daemon->clients_max + DAEMON_NEWCOMERS;
    daemon->slots = calloc(daemon->slot_count, sizeof(*daemon->slots));
    daemon->live = calloc(daemon->slot_count, sizeof(struct lam_daemon_slot *));
    daemon->poll = calloc(1, sizeof(*daemon->poll));
    if (daemon->slots == NULL || daemon->live == NULL || daemon->poll == NULL)
        return lam_error_set(error, -ENOMEM, "no memory for %u clients", daemon->clients_max);
    daemon->poll->epoll = -1;
    daemon->poll->spare = -1;
    for (uint32_t i = 0; i < daemon->slot_count; i++) {
        daemon->slots[i].index = i;
        daemon->slots[i].socket = -1;
    }
    daemon->poll->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (daemon->poll->epoll < 0)
        return lam_error_set(error, -errno, "epoll_create1: %s", strerror(errno));
    return 0;
}

int lam_daemon_create(
    struct lam_daemon *daemon, const struct lam_daemon_options *options, struct lam_error *error)
{
    int rc;

    LAM_ASSERT(daemon != NULL && options != NULL);
    memset(daemon, 0, sizeof(*daemon));
    lam_endpoint_place_clear(&daemon->place);
    rc = check_options(options, error);
    if (rc != 0)
        return rc;
    daemon->owner = lam_endpoint_process;
    daemon->options = *options;
    daemon->clients_max =
        options->clients_max != 0 ? options->clients_max : LAM_DAEMON_CLIENTS_DEFAULT;
    if (daemon->options.handshake_ns == 0)
        daemon->options.handshake_ns = LAM_DAEMON_HANDSHAKE_NS;
    daemon->wait = options->wait;
    if (options->waiting == LAM_RING_SPIN_ONLY && options->wait != LAM_WAIT_SPIN)
        daemon->wait = LAM_WAIT_YIELD;
    daemon->identity = lam_identity_self();
    lam_cadence_init(&daemon->cadence, options->spin_ns);
    set_terms(daemon, options);
    rc = check_lanes(daemon, error);
    if (rc == 0)
        rc = allocate(daemon, error);
    if (rc == 0)
        rc = lam_endpoint_place_take(&daemon->place, options, error);
    if (rc == 0 && lam_daemon_poll_listen(daemon, 1) != 0)
        rc = lam_error_set(error, -errno, "epoll_ctl: %s", strerror(errno));
    if (rc == 0 && lam_daemon_poll_spare(daemon) != 0)
        rc = -errno;
    if (lam_endpoint_is_shortage(rc)) {
        char text[LAM_ENDPOINT_REFUSED_TEXT_BYTES];

        lam_endpoint_say_shortage(rc, "this process", text, sizeof(text));
        (void)lam_error_set(error, rc, "endpoint %s: %s", options->name, text);
    }
    if (rc != 0)
        lam_daemon_destroy(daemon);
    return rc;
}

void lam_daemon_destroy(struct lam_daemon *daemon)
{
    int is_ours = daemon->owner == lam_endpoint_process; /* or a forked child's copy */

    if (daemon->owner == 0)
        return;
    if (is_ours)
        lam_daemon_release(daemon);
    for (uint32_t i = 0; daemon->slots != NULL && i < daemon->slot_count; i++)
        lam_daemon_free_slot(daemon, &daemon->slots[i]);
    for (uint32_t i = 0; is_ours && daemon->poll != NULL && i < DAEMON_NOTIFIERS; i++)
        if ((daemon->poll->opened >> i & 1) != 0)
            lam_ring_notifier_close(&daemon->poll->notifiers[i]); /* its thread did not fork */
    if (daemon->poll != NULL && daemon->poll->epoll >= 0)
        (void)close(daemon->poll->epoll);
    if (daemon->poll != NULL && daemon->poll->spare >= 0)
        (void)close(daemon->poll->spare);
    lam_endpoint_place_give_back(&daemon->place);
    free(daemon->slots);
    free((void *)daemon->live);
    free(daemon->poll);
    daemon->slots = NULL;
    daemon->live = NULL;
    daemon->poll = NULL;
    daemon->slot_count = 0;
    daemon->live_count = 0;
    daemon->owner = 0;
}
