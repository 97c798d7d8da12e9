/* SPDX-License-Identifier: Apache-2.0 */
/*
 * serve_metrics.c: the names of metrics that there are, as far as a worker knows. A metric travels
 * without an answer, so whether it finds a place is said here, as the host would.
 */
#include <errno.h>
#include <string.h>

#include "worker/serving.h"

/* First those that the host has told of, in its order; then those that are on their way to it. */
static struct {
    uint32_t kind;
    char name[LAM_NAME_BYTES_MAX];
} known[LAM_METRICS_MAX];

static uint32_t known_count, told_count;

/* Its place, from @from on, or known_count. */
static uint32_t find(uint32_t from, uint32_t kind, const char *name)
{
    while (from < known_count && (known[from].kind != kind || strcmp(known[from].name, name) != 0))
        from++;
    return from;
}

static void set(uint32_t place, uint32_t kind, const char *name)
{
    known[place].kind = kind;
    memcpy(known[place].name, name, strlen(name) + 1);
}

void serving_learn(const struct link_message *message)
{
    struct link_event event;
    const char *name = (const char *)message->body + sizeof(event);
    uint64_t room = message->header.body_bytes - sizeof(event);
    uint32_t place;

    if (message->header.body_bytes < sizeof(event) || room > LAM_NAME_BYTES_MAX ||
        strnlen(name, room) == room || told_count == LAM_METRICS_MAX)
        leave(8);
    memcpy(&event, message->body, sizeof(event));
    place = find(told_count, event.kind, name);
    if (place == known_count && known_count < LAM_METRICS_MAX)
        known_count++;
    else if (place == known_count)
        place--; /* another worker was first: one of ours found no place */
    known[place] = known[told_count];
    set(told_count++, event.kind, name);
}

int serving_admit_metric(enum lam_metric kind, const char *name)
{
    if (find(0, (uint32_t)kind, name) < known_count)
        return 0;
    if (known_count == LAM_METRICS_MAX)
        return -ENOSPC;
    set(known_count++, (uint32_t)kind, name);
    return 0;
}
