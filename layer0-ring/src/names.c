/* SPDX-License-Identifier: Apache-2.0 */
#include "names.h"
#include "lamina/base/crash_point.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Whoever holds the replace lock makes a few system calls. */
#define NAPS_MAX 2000

void lam_ring_control_file(char *file, const char *name)
{
    (void)snprintf(file, LAM_SEGMENT_NAME_MAX + 1, "lamina.%s.control", name);
}

void lam_ring_data_file(char *file, const char *name)
{
    (void)snprintf(file, LAM_SEGMENT_NAME_MAX + 1, "lamina.%s.data", name);
}

void lam_ring_nap(void)
{
    (void)nanosleep(&(struct timespec){.tv_nsec = (long)LAM_NS_PER_MS}, NULL);
}

int lam_ring_take_replace(struct lam_lock *replace, const struct lam_segment *control)
{
    int rc = lam_lock_take(replace, control->fd, LAM_RING_LOCK_REPLACE);

    for (unsigned naps = 0; rc == -EBUSY && naps < NAPS_MAX; naps++) {
        lam_ring_nap();
        rc = lam_lock_take(replace, control->fd, LAM_RING_LOCK_REPLACE);
    }
    return rc;
}

int lam_ring_confirm(const struct lam_ring *ring, struct lam_error *error)
{
    unsigned naps = 0;

    if (ring->control.path[0] == '\0')
        return 0; /* without a name there is nothing that others could take away */
    while (lam_base->lock_probe(ring->control.fd, LAM_RING_LOCK_REPLACE) == 1) {
        if (++naps > NAPS_MAX)
            return lam_error_set(error, -EBUSY,
                "ring %s: another process replaces, cleans or revives it, and does not end",
                ring->name);
        lam_ring_nap();
    }
    if (!lam_segment_has_name(&ring->control))
        return lam_error_set(error, -ENOENT,
            "ring %s: it was destroyed or replaced since this process attached it: attach it anew",
            ring->name);
    return 0;
}

int lam_ring_name_the_living(
    const struct lam_segment *control, const char *name, struct lam_error *error)
{
    struct lam_ring_control head;

    /* What it says is for people only; an object that is cut short still has its locks. */
    if (lam_segment_read(control, &head, sizeof(head)) != 0)
        memset(&head, 0, sizeof(head));
    for (uint64_t byte = 0; byte < LAM_RING_LOCK_END; byte++) {
        uint64_t index = byte - LAM_RING_LOCK_CONSUMER;

        if (byte == LAM_RING_LOCK_REPLACE || lam_base->lock_probe(control->fd, byte) == 0)
            continue;
        if (byte == LAM_RING_LOCK_PRODUCER && head.producer.pid == 0)
            return lam_error_set(
                error, -EEXIST, "ring %s is alive: a producer is attaching now", name);
        if (byte == LAM_RING_LOCK_PRODUCER)
            return lam_error_set(
                error, -EEXIST, "ring %s is alive: producer, pid %u", name, head.producer.pid);
        if (index < LAM_RING_CONSUMER_COUNT_MAX)
            return lam_error_set(error, -EEXIST, "ring %s is alive: consumer %.*s, pid %u", name,
                LAM_RING_CONSUMER_NAME_MAX, head.entries[index].name,
                head.entries[index].identity.pid);
        if (byte >= LAM_RING_LOCK_MANY)
            return lam_error_set(error, -EEXIST, "ring %s is alive: producer %u of many", name,
                (unsigned)(byte - LAM_RING_LOCK_MANY));
        return lam_error_set(
            error, -EEXIST, "ring %s is alive: held by the process that made it", name);
    }
    return 0;
}

int lam_ring_remove_names(
    const struct lam_segment *control, const char *data_path, struct lam_error *error)
{
    if (!lam_segment_has_name(control))
        return 0;
    /* Data first: who finds data must find its control. What is left half way is found by that. */
    if (unlink(data_path) != 0 && errno != ENOENT)
        return lam_error_set(error, -errno, "%s: %s", data_path, strerror(errno));
    LAM_CRASH_POINT("remove.data_unlinked");
    if (unlink(control->path) != 0 && errno != ENOENT)
        return lam_error_set(error, -errno, "%s: %s", control->path, strerror(errno));
    LAM_CRASH_POINT("remove.control_unlinked");
    return 0;
}
