/* SPDX-License-Identifier: Apache-2.0 */
#include "proof/world.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "proof/memory.h"

#define SECOND      UINT64_C(1000000000)
#define PATIENCE_NS (600 * SECOND) /* of healing: until every request is answered */
#define FILES_MAX   (SIM_NAMES_MAX - 80)
#define STEPS_MAX   UINT64_C(20000000)

/* @detail: NULL where it is there already. */
static int broken(struct world *world, const char *invariant, const char *detail)
{
    if (world->broken == NULL) {
        world->broken = invariant;
        if (detail != NULL)
            (void)snprintf(world->detail, sizeof(world->detail), "%s", detail);
    }
    return 0;
}

static uint64_t draw(struct world *world, uint64_t count)
{
    return random_below(&world->random, count);
}

/* FNV-1a, a word at a time. */
static void trace(struct world *world, uint64_t word)
{
    world->trace = (world->trace ^ word) * UINT64_C(0x100000001b3);
}

static void choose_config(struct world *world)
{
    static const char *const listen = "sim:";

    world->config = (struct lam_sequencer_config){.directory = "sim",
        .listen = {listen},
        .policy = LAM_SEQUENCER_DISK,
        .disk = LAM_SEQUENCER_DISK_PLAIN,
        .segment_bytes = UINT64_C(262144) << draw(world, 3),
        .reserve_bytes = 8192,
        .batch_bytes = 8192U << draw(world, 2),
        .input_cells = 256U << draw(world, 3),
        .output_cells = 256U << draw(world, 3),
        .sessions_max = 32,
        .connections_max = NET_CONNECTIONS,
        .window = 16U << draw(world, 2),
        .reply_bytes = 0,
        .tick_ns = SECOND / 4 * (1 + draw(world, 4)),
        .digest_events = 50 + draw(world, 200),
        .snapshot_events = draw(world, 3) == 0 ? 0 : 100 + draw(world, 900),
        .heartbeat_ns = 10 * SECOND};
    world->config.reply_bytes = world->config.window * sizeof(struct model_result);
}

static void begin(struct world *world, uint64_t seed, struct world_totals *totals)
{
    memset(world, 0, sizeof(*world));
    world->seed = seed;
    world->totals = totals;
    world->random.state = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
    sim_init(&world->sim, random_next(&world->random));
    net_init(&world->net, random_next(&world->random), &world->sim.now_ns,
        UINT64_C(1000) << draw(world, 18));
    world->net.transport.number = 1;
    crowd_begin(&world->crowd, &world->net, random_next(&world->random), &totals->workload);
    world->app = book_app(&world->book);
    choose_config(world);
}

static void end(struct world *world)
{
    crowd_end(&world->crowd);
    net_fini(&world->net);
    sim_fini(&world->sim);
}

/* What a life has to bear, from now on. */
static void choose_fault(struct world *world)
{
    static const enum lam_env_call failing[] = {LAM_ENV_WRITE, LAM_ENV_SYNC, LAM_ENV_RENAME,
        LAM_ENV_CREATE, LAM_ENV_SYNC_DIRECTORY, LAM_ENV_ALLOCATE};
    struct sim_faults *faults = &world->sim.faults;
    enum lam_env_call call = failing[draw(world, 6)];

    world->fault = (enum world_fault)draw(world, WORLD_LIAR);
    if (draw(world, 40) == 0)
        world->fault = WORLD_LIAR;
    world->totals->faults[world->fault]++;
    if (draw(world, 4) == 0)
        faults->slow_ns = UINT64_C(1000000) << draw(world, 11);
    if (world->fault == WORLD_POWER)
        faults->crash_at = world->sim.calls + 1 + draw(world, UINT64_C(20) << draw(world, 8));
    if (world->fault == WORLD_FAILURE) {
        faults->fail_at[call] = world->sim.calls_of[call] + 1 + draw(world, 30);
        faults->fail_error = -EIO;
    }
    if (world->fault == WORLD_SHORT)
        faults->short_at = world->sim.calls_of[LAM_ENV_WRITE] + 1 + draw(world, 100);
    if (world->fault == WORLD_FULL_DISK)
        faults->room_bytes = world->config.segment_bytes * (2 + draw(world, 2));
    if (world->fault == WORLD_LIAR)
        *(draw(world, 2) == 0 ? &faults->lose_at : &faults->misdirect_at) =
            world->sim.calls_of[LAM_ENV_WRITE] + 1 + draw(world, 50);
    faults->crash_phase = (enum sim_phase)draw(world, 3);
}

static int open_node(struct world *world)
{
    struct node_config config = {.sequencer = &world->config,
        .app = &world->app,
        .transports = {&world->net.transport},
        .transport_count = 1};

    for (int i = 0; i < NODE_STAGES; i++)
        config.envs[i] = &world->sim.env;
    world->totals->lives++;
    world->error.text[0] = 0;
    return node_open(&world->node, &config, &world->error);
}

/* Power goes somewhere in recovery, twice perhaps; then nothing hinders it. */
static int open_again(struct world *world)
{
    int result;

    while (draw(world, 6) == 0) {
        world->totals->faults[WORLD_NO_OPEN]++;
        world->sim.faults.crash_at = 1 + draw(world, 40);
        world->sim.faults.crash_phase = (enum sim_phase)draw(world, 3);
        if (open_node(world) == 0) {
            world->sim.is_off = 1;
            node_close(world->node);
        }
        sim_restart(&world->sim, draw(world, 2) == 0 ? SIM_KEEP_SOME : SIM_KEEP_NONE);
    }
    result = open_node(world);
    if (result == 0)
        return 1;
    if (world->lies && result == -EBADMSG) { /* found, and not opened: as it should */
        world->is_stopped = 1;
        world->totals->stopped++;
        return 0;
    }
    return broken(world, "I15 it recovers from what it has to survive", world->error.text);
}

/* Not one thing is left to do now: let time pass. */
static void pass_time(struct world *world)
{
    struct lam_env *env = &world->sim.env;
    uint64_t until = world->until_ns, now_ns = world->sim.now_ns, due[2 + NODE_STAGES];
    unsigned count = 0;

    due[count++] = crowd_due_ns(&world->crowd);
    due[count++] = net_due_ns(&world->net);
    for (int i = 0; i < NODE_STAGES; i++)
        due[count++] = i + 1 == (int)world->stalled
                           ? UINT64_MAX
                           : node_stage(world->node, (enum node_stage)i)->due_ns;
    for (unsigned i = 0; i < count; i++)
        if (due[i] < until)
            until = due[i];
    if (until <= now_ns)
        until = now_ns + 1000;
    world->sim.is_awake = 0;
    env->ops->wait(env, until);
    if (world->sim.now_ns == now_ns) /* a call is due that a stalled stage does not ask for */
        world->sim.now_ns = until;
}

/* One stage, chosen by the seed, with a budget of the seed's. Returns what it returns. */
static int step_one(struct world *world, unsigned which)
{
    struct stage *stage;
    uint64_t calls = memory_calls();
    unsigned budget;
    int result;

    if (which == NODE_STAGES)
        return (int)crowd_step(&world->crowd);
    if (which + 1 == world->stalled)
        return 0;
    stage = node_stage(world->node, (enum node_stage)which);
    budget = 1 + (unsigned)draw(world, UINT64_C(1) << draw(world, 8));
    /* A session has memory from its beginning, a snapshot its size, and the disk is simulated. */
    (void)memory_count(which == NODE_READER || which == NODE_RESPONSE || which == NODE_PUBLISHER);
    result = stage->step(stage, budget);
    (void)memory_count(0);
    if (memory_calls() != calls)
        return broken(world, "I12 no stage asks for memory", stage->name);
    trace(world, which);
    trace(world, (uint64_t)result);
    trace(world, world->sim.now_ns);
    if (result < 0) {
        (void)snprintf(world->detail, sizeof(world->detail), "%s: %d, %s", stage->name, result,
            stage->error.text);
        stage->worked++;
    }
    return result;
}

/* Of the stages and the crowd one that is not known to be idle. */
static unsigned choose_one(struct world *world, unsigned idle)
{
    unsigned which = 0,
             turn = (unsigned)draw(world, NODE_STAGES + 1 - (unsigned)__builtin_popcount(idle));

    while ((idle >> which & 1) != 0 || turn-- != 0)
        which++;
    return which;
}

/*
 * Until it is done, dies, fails, or the time has come. Returns 0, or the negative errno that it
 * failed with.
 */
static int run(struct world *world, int (*is_done)(struct world *world))
{
    unsigned idle = 0;

    while (world->sim.now_ns < world->until_ns && !world->sim.is_off && !is_done(world)) {
        unsigned which = choose_one(world, idle);
        int result = step_one(world, which);

        world->totals->steps++;
        if (++world->steps == STEPS_MAX)
            return broken(world, "I11 time passes", "a stage is busy for ever");
        if (world->crowd.broken != NULL)
            return broken(world, "a connection keeps its rules", world->crowd.broken);
        if (result < 0)
            return result;
        idle = result > 0 ? 0 : idle | 1U << which;
        if (idle == (1U << (NODE_STAGES + 1)) - 1) {
            pass_time(world);
            idle = 0;
        }
    }
    return 0;
}

/* The simulated folder has an end. */
static int has_many_files(struct world *world)
{
    return world->sim.file_count > FILES_MAX;
}

static int is_answered(struct world *world)
{
    return crowd_is_answered(&world->crowd);
}

static int is_ended(struct world *world)
{
    return node_is_done(world->node);
}

/* A piece of a life: to a leap of the clock, or the end of a stall. */
static int run_for(struct world *world, uint64_t ns)
{
    world->until_ns = world->sim.now_ns + ns;
    return run(world, has_many_files);
}

static int is_expected(const struct world *world, int result)
{
    return result == 0 || world->fault == WORLD_FAILURE || world->fault == WORLD_SHORT ||
           world->lies || (world->fault == WORLD_FULL_DISK && result == -ENOSPC) ||
           world->sim.is_off;
}

/* A life up to its end, whatever that is. Returns 1, or 0: an invariant is broken. */
static int live(struct world *world)
{
    int result;

    choose_fault(world);
    world->lies |= world->fault == WORLD_LIAR;
    result = run_for(world, draw(world, 100 * SECOND));
    if (world->fault == WORLD_LEAP && result == 0) {
        world->sim.now_ns += draw(world, SECOND << draw(world, 12));
        result = run_for(world, draw(world, 100 * SECOND));
    }
    if (world->fault == WORLD_STALL && result == 0) {
        world->stalled = 1 + (unsigned)draw(world, NODE_STAGES);
        result = run_for(world, draw(world, 20 * SECOND));
        world->stalled = 0;
        if (result == 0)
            result = run_for(world, draw(world, 100 * SECOND));
    }
    if (world->broken == NULL && !is_expected(world, result))
        return broken(world, "I15 a stage fails of nothing", NULL);
    return world->broken == NULL;
}

/* The process ends; what the disk keeps of what was not synced is up to the seed. */
static void die(struct world *world)
{
    static const enum sim_keep keeps[] = {
        SIM_KEEP_NONE, SIM_KEEP_ALL, SIM_KEEP_SOME, SIM_KEEP_SOME};
    enum sim_keep keep = keeps[draw(world, 4)];

    if (world->fault == WORLD_KILL || (!world->sim.is_off && draw(world, 2) == 0))
        keep = SIM_KEEP_CACHE;
    world->sim.is_off = 1;
    node_close(world->node);
    world->node = NULL;
    sim_restart(&world->sim, keep);
    net_down(&world->net);
    world->sim.now_ns += draw(world, 2 * SECOND);
}

/* No more faults: all that is open gets its answer, and the node ends in order. */
static int heal(struct world *world)
{
    int result;

    world->fault = WORLD_PEACE;
    world->crowd.is_calm = 1;
    world->until_ns = world->sim.now_ns + PATIENCE_NS;
    result = run(world, is_answered);
    if (world->broken != NULL)
        return 0;
    if (result != 0)
        return broken(world, "I15 a stage fails of nothing", NULL);
    if (!is_answered(world))
        return broken(world, "I11 after healing every request is answered", "");
    node_stop(world->node);
    world->until_ns = world->sim.now_ns + PATIENCE_NS;
    result = run(world, is_ended);
    if (world->broken == NULL && (result != 0 || !is_ended(world)))
        return broken(world, "I11 it ends when it is told to", NULL);
    return world->broken == NULL;
}

static int check_history(struct world *world, const struct reading *reading)
{
    struct history_verdict verdict;
    struct crowd *crowd = &world->crowd;
    char detail[160];

    if (history_check(&(struct history){.ops = crowd->ops,
                          .op_count = crowd->op_count,
                          .records = reading->records,
                          .record_count = reading->count,
                          .publications = crowd->publications,
                          .publication_count = crowd->publication_count},
            &verdict))
        return 1;
    (void)snprintf(detail, sizeof(detail), "request %llu, sequence %llu",
        (unsigned long long)verdict.id, (unsigned long long)verdict.sequence);
    return broken(world, history_rule_text(verdict.rule), detail);
}

static int is_canary(uint64_t seed)
{
    return random_below(&(struct random){seed}, 100) == 0;
}

uint64_t world_canary_seed(uint64_t first)
{
    while (!is_canary(first))
        first++;
    return first;
}

/* As if the journal had never had the last one that was acknowledged. */
static void lose_last(const struct world *world, struct reading *reading)
{
    const struct history_op *last = NULL;

    for (size_t i = 0; i < world->crowd.op_count; i++) {
        const struct history_op *op = &world->crowd.ops[i];

        if (op->op.verb != MODEL_GET && op->end == HISTORY_ANSWERED && op->sequence != 0 &&
            (last == NULL || op->sequence > last->sequence))
            last = op;
    }
    for (size_t i = 0; last != NULL && i < reading->count; i++)
        if (reading->records[i].sequence == last->sequence)
            reading->count = i;
    /* What was seen of it otherwise must not be what gives it away. */
    for (size_t i = 0; i < world->crowd.op_count; i++)
        if (world->crowd.ops[i].op.verb == MODEL_GET)
            world->crowd.ops[i].end = HISTORY_UNKNOWN;
}

/* Nobody runs any more: what is on the disk, and what everybody was told. */
static int judge(struct world *world)
{
    struct sim *copy = calloc(1, sizeof(*copy));
    struct reading reading;
    int result, is_good;

    CHECK(copy != NULL);
    sim_init(copy, 1);
    sim_copy_disk(copy, &world->sim);
    result = reading_begin(&reading,
        &(struct journal_config){.env = &copy->env,
            .segment_bytes = world->config.segment_bytes,
            .reserve_bytes = world->config.reserve_bytes,
            .sector_bytes = 4096,
            .batch_bytes = world->config.batch_bytes,
            .mark_batches = 16},
        &(struct machine_config){.sessions_max = world->config.sessions_max,
            .window = world->config.window,
            .reply_bytes = world->config.reply_bytes});
    if (world->totals->is_canary && is_canary(world->seed))
        lose_last(world, &reading);
    is_good = result == 0
                  ? check_history(world, &reading)
                  : broken(world, "I9 the journal makes the same state", reading.error.text);
    world->totals->records += reading.count;
    world->totals->digests += reading.digests;
    reading_end(&reading);
    sim_fini(copy);
    free(copy);
    return is_good;
}

static void add_up(struct world *world)
{
    struct world_totals *totals = world->totals;

    totals->seeds++;
    totals->simulated_ns += world->sim.now_ns;
    totals->answers += world->crowd.answers;
    totals->repeats += world->crowd.repeats;
    totals->refusals += world->crowd.refusals;
    totals->sessions += world->crowd.sessions;
    totals->publications += world->crowd.publication_count;
    trace(world, world->sim.trace);
    trace(world, world->net.sends);
    trace(world, world->crowd.clock);
}

static int run_all(struct world *world)
{
    uint64_t lives = 1 + draw(world, 8);

    for (uint64_t i = 0; i < lives && !has_many_files(world); i++) {
        if (!open_again(world))
            return world->broken == NULL;
        net_up(&world->net);
        if (!live(world))
            return 0;
        die(world);
    }
    if (!open_again(world))
        return world->broken == NULL;
    net_up(&world->net);
    if (!heal(world))
        return 0;
    node_close(world->node);
    world->node = NULL;
    sim_restart(&world->sim, SIM_KEEP_CACHE);
    return world->lies || judge(world);
}

int world_run(struct world *world, uint64_t seed, struct world_totals *totals)
{
    int is_good;

    begin(world, seed, totals);
    is_good = run_all(world);
    if (world->node != NULL) {
        world->sim.is_off = 1;
        node_close(world->node);
    }
    add_up(world);
    end(world);
    return is_good;
}

const char *world_fault_text(enum world_fault fault)
{
    static const char *const texts[WORLD_FAULTS] = {"peace", "power", "kill", "failure", "short",
        "full disk", "leap", "stall", "while it recovers", "lying disk"};

    return (unsigned)fault < WORLD_FAULTS ? texts[fault] : "?";
}
