/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sim.c: time, random, and what becomes of each call.
 */
#include "simulation/sim.h"

#include <errno.h>
#include <stdlib.h>

#include "lamina/base/assert.h"
#include "simulation/sim_parts.h"

static const struct lam_env_ops node_ops;

/* The one world, whichever env of it this is. */
static struct sim *of(struct lam_env *env)
{
    return env->ops == &node_ops ? (struct sim *)env : ((struct sim_host *)env)->sim;
}

static unsigned owner_of(const struct lam_env *env)
{
    return env->ops == &node_ops ? 0 : ((const struct sim_host *)env)->owner;
}

static uint64_t *ahead_of(struct lam_env *env)
{
    return env->ops == &node_ops ? &((struct sim *)env)->ahead_ns
                                 : &((struct sim_host *)env)->ahead_ns;
}

static int *awake_of(struct lam_env *env)
{
    return env->ops == &node_ops ? &((struct sim *)env)->is_awake
                                 : &((struct sim_host *)env)->is_awake;
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
    return of(env)->now_ns + *ahead_of(env);
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
    struct sim_entry entry = {.io = io, .owner = owner_of(env) & INT32_MAX};

    entry.due_ns = sim->now_ns + 1000 + sim_random(sim) % 100000;
    if (sim->faults.slow_ns != 0 && sim_random(sim) % 8 == 0)
        entry.due_ns += sim->faults.slow_ns;
    if (sim->is_off && entry.owner == 0) {
        entry.due_ns = sim->now_ns;
        entry.is_decided = 1;
        entry.result = -EIO;
    }
    sim_enqueue(sim, entry);
}

static int is_of_network(const struct lam_env_io *io)
{
    return io->call >= LAM_ENV_LISTEN || (io->call == LAM_ENV_CLOSE && io->file >= SIM_LISTENERS);
}

/* Without power nothing of the node's happens any more, and it is told so at once. */
static void end_node(struct sim *sim)
{
    sim_decide_owner(sim, 0, -EIO);
    sim_net_end(sim, 0);
}

/* What a crash leaves of the calls in flight: nothing, a part or all of each. */
static void cut_power(struct sim *sim)
{
    sim->is_off = 1;
    for (unsigned i = 0; i < sim->queue_count; i++) {
        const struct sim_entry *entry = &sim->queue[i];

        if (entry->owner == 0 && !entry->is_decided && !is_of_network(entry->io))
            (void)sim_call(sim, entry->io, (enum sim_phase)(sim_random(sim) % 3));
    }
    end_node(sim);
}

static int64_t do_call(struct sim *sim, struct sim_entry *entry, enum sim_phase phase)
{
    if (!is_of_network(entry->io))
        return sim_call(sim, entry->io, phase);
    if (phase != SIM_AFTER)
        return 0;
    if (entry->io->call == LAM_ENV_CLOSE)
        return sim_net_close(sim, entry->io->file);
    return sim_net_call(sim, entry);
}

/* The node's calls are counted when they are done, and go wrong by their number. */
static int64_t make_call(struct sim *sim, struct sim_entry *entry)
{
    const struct sim_faults *faults = &sim->faults;
    enum lam_env_call call = entry->io->call;
    uint64_t of_its_kind = sim->calls_of[call] + 1;
    int64_t result;

    sim->calls_of[call] = of_its_kind;
    if (sim->calls + 1 == faults->crash_at) {
        sim->calls++;
        (void)do_call(sim, entry, faults->crash_phase);
        cut_power(sim);
        return -EIO;
    }
    if (of_its_kind == faults->fail_at[call]) {
        /* A sync that fails has done a part, and nobody will ever know which. */
        (void)do_call(sim, entry, call == LAM_ENV_SYNC ? SIM_HALF : SIM_BEFORE);
        result = faults->fail_error;
    } else {
        result = do_call(sim, entry, SIM_AFTER);
    }
    if (result == SIM_LATER)
        sim->calls_of[call]--;
    else
        sim->calls++;
    return result;
}

static int64_t result_of(struct sim *sim, struct sim_entry *entry)
{
    if (entry->is_decided)
        return entry->result;
    return entry->owner == 0 ? make_call(sim, entry) : do_call(sim, entry, SIM_AFTER);
}

static unsigned tell(struct lam_env *env)
{
    struct sim *sim = of(env);
    unsigned count = 0;

    if (sim->is_off) /* or somebody has set it */
        end_node(sim);
    while (sim->queue_count != 0 && sim->queue[0].due_ns <= sim->now_ns) {
        struct sim_entry entry = sim_dequeue(sim);
        struct lam_env_io *io = entry.io;
        int64_t result = result_of(sim, &entry);

        if (result == SIM_LATER) {
            sim_enqueue(sim, entry);
            continue;
        }
        io->result = result;
        trace(sim, (uint64_t)io->call);
        trace(sim, entry.owner);
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
    uint64_t ahead_ns = *ahead_of(env), until = deadline_ns;

    if (*awake_of(env)) {
        *awake_of(env) = 0;
        return;
    }
    if (until != UINT64_MAX)
        until = until > ahead_ns ? until - ahead_ns : 0;
    if (sim->queue_count != 0 && sim->queue[0].due_ns < until)
        until = sim->queue[0].due_ns;
    LAM_ASSERT(until != UINT64_MAX); /* nothing will ever happen again */
    if (until > sim->now_ns)
        sim->now_ns = until;
}

static void cancel(struct lam_env *env, struct lam_env_io *io)
{
    if (is_of_network(io))
        sim_decide(of(env), io, -ECANCELED);
}

static int peer_of(struct lam_env *env, int file, struct lam_env_peer *peer)
{
    return sim_net_peer(of(env), file, peer);
}

static void wake(struct lam_env *env)
{
    *awake_of(env) = 1;
}

static const struct lam_env_ops node_ops = {.now_ns = now_ns,
    .random = random_bits,
    .start = start,
    .poll = tell,
    .cancel = cancel,
    .peer = peer_of,
    .wait = wait_until,
    .wake = wake};

void sim_init(struct sim *sim, uint64_t seed)
{
    *sim = (struct sim){.env.ops = &node_ops, .random_state = seed, .trace = seed};
}

void sim_host_init(struct sim_host *host, struct sim *sim)
{
    /* The same functions; it is by another address that it is told from the node. */
    static struct lam_env_ops host_ops;

    host_ops = node_ops;
    *host = (struct sim_host){.env.ops = &host_ops, .sim = sim, .owner = ++sim->hosts};
}

void sim_host_restart(struct sim_host *host)
{
    sim_forget(host->sim, host->owner); /* before anything looks at calls that may be no more */
    sim_net_end(host->sim, host->owner);
    host->is_awake = 0;
    host->env.poison = 0;
}

void sim_jump(struct lam_env *env, uint64_t ns)
{
    *ahead_of(env) += ns;
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
    sim_net_free(sim);
    free(sim->queue);
    sim->queue = NULL;
    sim->queue_count = sim->queue_capacity = 0;
}
