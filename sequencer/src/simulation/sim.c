/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sim.c: time, random and the queue of calls.
 */
#include "simulation/sim.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lamina/base/assert.h"

static struct sim *of(struct lam_env *env)
{
    return (struct sim *)env;
}

/* SplitMix64, "Fast splittable pseudorandom number generators", Steele, Lea, Flood, 2014. */
uint64_t sim_random(struct sim *sim)
{
    uint64_t value = sim->random_state += UINT64_C(0x9e3779b97f4a7c15);

    value = (value ^ value >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    value = (value ^ value >> 27) * UINT64_C(0x94d049bb133111eb);
    return value ^ value >> 31;
}

static uint64_t now_ns(struct lam_env *env)
{
    return of(env)->now_ns;
}

static uint64_t random_bits(struct lam_env *env)
{
    return sim_random(of(env));
}

/* FNV-1a, a word at a time. */
static void trace(struct sim *sim, uint64_t word)
{
    sim->trace = (sim->trace ^ word) * UINT64_C(0x100000001b3);
}

static void start(struct lam_env *env, struct lam_env_io *io)
{
    struct sim *sim = of(env);
    struct lam_env_io **at = &sim->queue;

    io->due_ns = sim->now_ns + 1000 + sim_random(sim) % 100000;
    if (sim->faults.slow_ns != 0 && sim_random(sim) % 8 == 0)
        io->due_ns += sim->faults.slow_ns;
    while (*at != NULL && (*at)->due_ns <= io->due_ns)
        at = &(*at)->next;
    io->next = *at;
    *at = io;
}

/* What a crash leaves of the calls in flight: nothing, a part or all of each. */
static void cut_power(struct sim *sim)
{
    sim->is_off = 1;
    for (struct lam_env_io *io = sim->queue; io != NULL; io = io->next)
        (void)sim_call(sim, io, (enum sim_phase)(sim_random(sim) % 3));
}

static int64_t make_call(struct sim *sim, const struct lam_env_io *io)
{
    const struct sim_faults *faults = &sim->faults;
    uint64_t of_its_kind;

    if (sim->is_off)
        return -EIO;
    of_its_kind = ++sim->calls_of[io->call];
    if (++sim->calls == faults->crash_at) {
        (void)sim_call(sim, io, faults->crash_phase);
        cut_power(sim);
        return -EIO;
    }
    if (of_its_kind == faults->fail_at[io->call]) {
        /* A sync that fails has done a part, and nobody will ever know which. */
        (void)sim_call(sim, io, io->call == LAM_ENV_SYNC ? SIM_HALF : SIM_BEFORE);
        return faults->fail_error;
    }
    return sim_call(sim, io, SIM_AFTER);
}

static unsigned tell(struct lam_env *env)
{
    struct sim *sim = of(env);
    unsigned count = 0;

    while (sim->queue != NULL && (sim->queue->due_ns <= sim->now_ns || sim->is_off)) {
        struct lam_env_io *io = sim->queue;

        sim->queue = io->next;
        io->result = make_call(sim, io);
        trace(sim, (uint64_t)io->call);
        trace(sim, sim->now_ns);
        trace(sim, io->offset);
        trace(sim, (uint64_t)io->result);
        lam_env_tell(io);
        count++;
    }
    return count;
}

static void wait_until(struct lam_env *env, uint64_t deadline_ns)
{
    struct sim *sim = of(env);
    uint64_t until = deadline_ns;

    if (sim->is_awake) {
        sim->is_awake = 0;
        return;
    }
    if (sim->queue != NULL && sim->queue->due_ns < until)
        until = sim->queue->due_ns;
    LAM_ASSERT(until != UINT64_MAX); /* nothing will ever happen again */
    if (until > sim->now_ns)
        sim->now_ns = until;
}

static void cancel(struct lam_env *env, struct lam_env_io *io)
{
    (void)env;
    (void)io;
}

static int peer_of(struct lam_env *env, int file, struct lam_env_peer *peer)
{
    (void)env;
    (void)file;
    (void)peer;
    return -ENOTSUP;
}

static void wake(struct lam_env *env)
{
    of(env)->is_awake = 1;
}

void sim_init(struct sim *sim, uint64_t seed)
{
    static const struct lam_env_ops ops = {.now_ns = now_ns,
        .random = random_bits,
        .start = start,
        .poll = tell,
        .cancel = cancel,
        .peer = peer_of,
        .wait = wait_until,
        .wake = wake};

    *sim = (struct sim){.env.ops = &ops, .random_state = seed, .trace = seed};
}

void sim_fini(struct sim *sim)
{
    for (int i = 0; i < sim->file_count; i++) {
        free(sim->files[i].seen);
        free(sim->files[i].disk);
        free(sim->files[i].unsynced);
    }
    free(sim->files);
    sim->files = NULL;
    sim->file_count = 0;
}
