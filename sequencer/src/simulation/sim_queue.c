/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sim_queue.c: the calls in flight, by the time of their next try. Nothing of a call is touched but
 * when it is done: the memory of one whose process has ended may be gone.
 */
#include <stdlib.h>
#include <string.h>

#include "lamina/base/assert.h"
#include "simulation/sim_parts.h"

void sim_enqueue(struct sim *sim, struct sim_entry entry)
{
    unsigned at = sim->queue_count;

    if (sim->queue_count == sim->queue_capacity) {
        unsigned capacity = 2 * sim->queue_capacity + 64;
        struct sim_entry *queue = realloc(sim->queue, capacity * sizeof(*queue));

        LAM_ASSERT(queue != NULL);
        sim->queue = queue;
        sim->queue_capacity = capacity;
    }
    while (at > 0 && sim->queue[at - 1].due_ns > entry.due_ns) {
        sim->queue[at] = sim->queue[at - 1];
        at--;
    }
    sim->queue[at] = entry;
    sim->queue_count++;
}

static struct sim_entry remove_at(struct sim *sim, unsigned at)
{
    struct sim_entry entry = sim->queue[at];

    sim->queue_count--;
    memmove(&sim->queue[at], &sim->queue[at + 1], (sim->queue_count - at) * sizeof(entry));
    return entry;
}

struct sim_entry sim_dequeue(struct sim *sim)
{
    return remove_at(sim, 0);
}

/* Behind what is due by now: the order of the queue is that of what happened. */
static void decide_at(struct sim *sim, unsigned at, int64_t result)
{
    struct sim_entry entry = remove_at(sim, at);

    entry.is_decided = 1;
    entry.result = result;
    entry.due_ns = sim->now_ns;
    sim_enqueue(sim, entry);
}

void sim_decide(struct sim *sim, const struct lam_env_io *io, int64_t result)
{
    for (unsigned i = 0; i < sim->queue_count; i++)
        if (sim->queue[i].io == io && !sim->queue[i].is_decided) {
            decide_at(sim, i, result);
            return;
        }
}

static int is_of_file(const struct sim_entry *entry, int file)
{
    return entry->io->call >= LAM_ENV_ACCEPT && entry->io->call != LAM_ENV_CONNECT &&
           entry->io->file == file;
}

void sim_decide_file(struct sim *sim, int file, int64_t result)
{
    /* One that is decided goes to the front, and the one before it comes to its place. */
    for (unsigned i = sim->queue_count; i-- > 0;)
        if (!sim->queue[i].is_decided && is_of_file(&sim->queue[i], file))
            decide_at(sim, i++, result);
}

void sim_decide_owner(struct sim *sim, unsigned owner, int64_t result)
{
    for (unsigned i = sim->queue_count; i-- > 0;)
        if (!sim->queue[i].is_decided && sim->queue[i].owner == owner)
            decide_at(sim, i++, result);
}

void sim_try_again(struct sim *sim, int file)
{
    for (unsigned i = sim->queue_count; i-- > 0 && sim->queue[i].due_ns == UINT64_MAX;) {
        struct sim_entry entry = sim->queue[i];

        if (entry.io->file != file)
            continue;
        entry = remove_at(sim, i);
        entry.due_ns = sim->now_ns;
        sim_enqueue(sim, entry);
        i = sim->queue_count; /* it has moved to the front */
    }
}

void sim_forget(struct sim *sim, unsigned owner)
{
    unsigned left = 0;

    for (unsigned i = 0; i < sim->queue_count; i++)
        if (sim->queue[i].owner != owner)
            sim->queue[left++] = sim->queue[i];
    sim->queue_count = left;
}
