/* SPDX-License-Identifier: Apache-2.0 */
#include "path/hedge.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lamina/base/histogram.h"

/* Behind so many runs those of before count half. */
#define FADE_RUNS (16 * LAM_RETRY_HEDGE_RUNS)

/* IDLE: anybody may take it; TAKEN: its taker fills it; RUNNING: the thread's; ENDED: its taker's.
 * One that is left goes from RUNNING to IDLE. */
enum runner_state { RUNNER_IDLE, RUNNER_TAKEN, RUNNER_RUNNING, RUNNER_ENDED };

struct buffer {
    void *bytes;
    uint64_t room;
};

/* A thread and its one run. What is not said otherwise is guarded by the hedge's lock. */
struct runner {
    struct lam_hedge *hedge;
    pthread_t thread;
    pthread_cond_t changed; /* for the thread */
    enum runner_state state;
    pthread_cond_t *ended; /* for who waits; NULL: left */
    /* The taker's, then the thread's, then the taker's again. */
    struct lam_passage passage;
    struct lam_frame frame;
    struct lam_module_reply reply;
    uint64_t began_ns;
    struct buffer request, answer;
    char caller[LAM_NAME_BYTES_MAX];
    int rc;
};

struct lam_hedge {
    pthread_mutex_t lock;
    struct lam_hedge_counts counts; /* delay_ns is the one that holds */
    /* What is learned, with a percentile; NULL without. */
    struct lam_histogram *runs;
    uint32_t percentile, run_count;
    uint64_t min_ns, max_ns;
    uint32_t is_ending, thread_count;
    struct runner runners[];
};

static void lock(struct lam_hedge *hedge)
{
    LAM_ASSERT(pthread_mutex_lock(&hedge->lock) == 0);
}

static void unlock(struct lam_hedge *hedge)
{
    LAM_ASSERT(pthread_mutex_unlock(&hedge->lock) == 0);
}

static void init_monotonic(pthread_cond_t *condition)
{
    pthread_condattr_t monotonic;

    LAM_ASSERT(pthread_condattr_init(&monotonic) == 0);
    LAM_ASSERT(pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC) == 0);
    LAM_ASSERT(pthread_cond_init(condition, &monotonic) == 0);
    (void)pthread_condattr_destroy(&monotonic);
}

/* ---- the delay ---- */

/* What is known of before counts half from now on. */
static void fade(struct lam_histogram *runs)
{
    for (uint32_t i = 0; i < LAM_HISTOGRAM_BUCKET_COUNT; i++)
        /* Relaxed, both: under the lock. */
        lam_store_relaxed(&runs->counts[i], lam_load_relaxed(&runs->counts[i]) / 2);
}

/* Under the lock: a run has ended after @ns, and not by a failure. */
static void learn(struct lam_hedge *hedge, uint64_t ns)
{
    uint64_t delay_ns;

    lam_histogram_record(hedge->runs, ns);
    if (++hedge->run_count % LAM_RETRY_HEDGE_RUNS != 0)
        return;
    LAM_ASSERT(lam_histogram_quantile(hedge->runs, hedge->percentile, &delay_ns) == 0);
    if (delay_ns < hedge->min_ns)
        delay_ns = hedge->min_ns;
    if (delay_ns > hedge->max_ns)
        delay_ns = hedge->max_ns;
    hedge->counts.delay_ns = delay_ns;
    if (hedge->run_count == FADE_RUNS) {
        fade(hedge->runs);
        hedge->run_count = 0;
    }
}

/* ---- the threads ---- */

/* As run_inside() of call.c, in a generation that is held by being its guest. */
static void run(struct runner *runner)
{
    struct lam_seat *seat = lam_seat_mine();
    struct lam_frame *frame = &runner->frame;

    if (seat == NULL) {
        runner->rc = lam_reply_fail(&runner->reply, LAM_FAILURE_NO_THREAD, 0, -EUSERS);
    } else {
        frame->seat = seat;
        frame->call.arena.base = seat->arena;
        seat->depth++;
        seat->inner = frame;
        runner->rc = lam_path_go_on(&runner->passage);
        seat->inner = NULL;
        seat->depth--;
    }
    /* H1, pairs with H2 in lam_generation_count(): all that the run did is done. */
    (void)lam_add_acq_rel(&runner->passage.generation->guests, UINT32_MAX);
}

static void *serve(void *context)
{
    struct runner *runner = context;
    struct lam_hedge *hedge = runner->hedge;
    uint64_t ended_ns;

    lock(hedge);
    for (;;) {
        while (runner->state != RUNNER_RUNNING && !hedge->is_ending)
            LAM_ASSERT(pthread_cond_wait(&runner->changed, &hedge->lock) == 0);
        if (runner->state != RUNNER_RUNNING)
            break;
        unlock(hedge);
        run(runner);
        ended_ns = hedge->runs != NULL ? lam_clock_now_ns() : 0;
        lock(hedge);
        hedge->counts.running--;
        if (hedge->runs != NULL && runner->reply.failure == LAM_FAILURE_NONE)
            learn(hedge, ended_ns - runner->began_ns);
        runner->state = runner->ended != NULL ? RUNNER_ENDED : RUNNER_IDLE;
        if (runner->ended != NULL)
            LAM_ASSERT(pthread_cond_signal(runner->ended) == 0);
    }
    unlock(hedge);
    return NULL;
}

/* ---- the caller ---- */

static int make_room(struct buffer *buffer, uint64_t bytes)
{
    void *larger;

    if (buffer->room >= bytes && buffer->bytes != NULL)
        return 1;
    larger = realloc(buffer->bytes, bytes + 1);
    if (larger == NULL)
        return 0;
    *buffer = (struct buffer){larger, bytes};
    return 1;
}

/* A run that is the caller's, but for its buffers. */
static int fill(struct runner *runner, const struct lam_passage *passage)
{
    const struct lam_call *call = &passage->frame->call;

    if (!make_room(&runner->request, call->request_bytes) ||
        !make_room(&runner->answer, passage->reply->capacity))
        return 0;
    if (call->request_bytes != 0)
        memcpy(runner->request.bytes, call->request, call->request_bytes);
    memset(runner->caller, 0, sizeof(runner->caller));
    memcpy(runner->caller, call->caller, strnlen(call->caller, sizeof(runner->caller) - 1));
    runner->frame = *passage->frame;
    runner->reply = (struct lam_module_reply){
        .data = runner->answer.bytes, .capacity = passage->reply->capacity};
    runner->passage = *passage;
    runner->passage.frame = &runner->frame;
    runner->passage.reply = &runner->reply;
    runner->frame.call.frame = &runner->frame;
    runner->frame.call.request = runner->request.bytes;
    runner->frame.call.reply = runner->answer.bytes;
    runner->frame.call.caller = runner->caller;
    runner->frame.call.reply_bytes = 0;
    return 1;
}

/* Under the lock, which is let go meanwhile. Returns one that runs, or NULL. */
static struct runner *begin(
    struct lam_hedge *hedge, const struct lam_passage *passage, pthread_cond_t *ended)
{
    struct runner *runner = NULL;
    int is_filled;

    for (uint32_t i = 0; i < hedge->thread_count && runner == NULL; i++)
        if (hedge->runners[i].state == RUNNER_IDLE)
            runner = &hedge->runners[i];
    if (runner == NULL)
        return NULL;
    runner->state = RUNNER_TAKEN;
    unlock(hedge);
    is_filled = fill(runner, passage);
    /* The caller is inside, so this generation cannot end before it has this guest. */
    if (is_filled)
        (void)lam_add_acq_rel(&passage->generation->guests, 1);
    lock(hedge);
    runner->state = is_filled ? RUNNER_RUNNING : RUNNER_IDLE;
    runner->ended = ended;
    if (!is_filled)
        return NULL;
    if (hedge->runs != NULL)
        runner->began_ns = lam_clock_now_ns();
    hedge->counts.running++;
    hedge->counts.raced++;
    LAM_ASSERT(pthread_cond_signal(&runner->changed) == 0);
    return runner;
}

static int has_ended(const struct runner *runner)
{
    return runner == NULL || runner->state == RUNNER_ENDED;
}

static int has_answer(const struct runner *runner)
{
    return runner != NULL && runner->state == RUNNER_ENDED &&
           runner->reply.failure == LAM_FAILURE_NONE;
}

/* Until one has an answer, or both have ended. Returns 0, or ETIMEDOUT. */
static int await(struct lam_hedge *hedge, struct runner *const runners[2], pthread_cond_t *ended,
    uint64_t deadline_ns)
{
    struct timespec deadline = {.tv_sec = (time_t)(deadline_ns / LAM_NS_PER_S),
        .tv_nsec = (long)(deadline_ns % LAM_NS_PER_S)};
    int rc = 0;

    while (rc != ETIMEDOUT && !has_answer(runners[0]) && !has_answer(runners[1]) &&
           !(has_ended(runners[0]) && has_ended(runners[1])))
        rc = deadline_ns == LAM_DEADLINE_NEVER
                 ? pthread_cond_wait(ended, &hedge->lock)
                 : pthread_cond_timedwait(ended, &hedge->lock, &deadline);
    return rc;
}

static int take_answer(const struct runner *runner, struct lam_module_reply *reply)
{
    reply->bytes = runner->reply.bytes;
    reply->failure = runner->reply.failure;
    reply->detail = runner->reply.detail;
    if (runner->rc == 0 && reply->bytes != 0)
        memcpy(reply->data, runner->answer.bytes, reply->bytes); /* no more than its capacity */
    return runner->rc;
}

static void leave(struct runner *runner)
{
    if (runner == NULL)
        return;
    if (runner->state == RUNNER_ENDED)
        runner->state = RUNNER_IDLE;
    runner->ended = NULL;
}

static int race(struct lam_hedge *hedge, struct lam_passage *passage, struct runner *runners[2],
    pthread_cond_t *ended)
{
    uint64_t deadline_ns = passage->frame->call.deadline_ns;
    uint64_t hedge_ns = lam_deadline_after_ns(hedge->counts.delay_ns);

    if (hedge_ns < deadline_ns && await(hedge, runners, ended, hedge_ns) == ETIMEDOUT &&
        !has_ended(runners[0])) {
        runners[1] = begin(hedge, passage, ended);
        hedge->counts.begun += runners[1] != NULL;
    }
    (void)await(hedge, runners, ended, deadline_ns);
    if (has_answer(runners[0]))
        return take_answer(runners[0], passage->reply);
    if (has_answer(runners[1])) {
        hedge->counts.won++;
        return take_answer(runners[1], passage->reply);
    }
    if (has_ended(runners[0]) && has_ended(runners[1]))
        return take_answer(runners[0], passage->reply);
    return lam_reply_fail(passage->reply, LAM_FAILURE_DEADLINE, 0, -ETIMEDOUT);
}

int lam_hedge_run(struct lam_hedge *hedge, struct lam_passage *passage, int *rc)
{
    struct runner *runners[2] = {NULL, NULL};
    pthread_cond_t ended;

    init_monotonic(&ended);
    lock(hedge);
    runners[0] = begin(hedge, passage, &ended);
    if (runners[0] != NULL)
        *rc = race(hedge, passage, runners, &ended);
    leave(runners[0]);
    leave(runners[1]);
    unlock(hedge);
    (void)pthread_cond_destroy(&ended);
    return runners[0] != NULL;
}

struct lam_hedge_counts lam_hedge_look(struct lam_hedge *hedge)
{
    struct lam_hedge_counts counts;

    lock(hedge);
    counts = hedge->counts;
    unlock(hedge);
    return counts;
}

/* ---- open and close ---- */

static int make_delay(struct lam_hedge *hedge, const struct lam_retry_options *options)
{
    hedge->counts.delay_ns = options->hedge_ns;
    hedge->percentile = options->hedge_percentile;
    hedge->min_ns = options->hedge_min_ns;
    hedge->max_ns = options->hedge_max_ns != 0 ? options->hedge_max_ns : UINT64_MAX;
    if (hedge->percentile != 0)
        hedge->runs = calloc(1, sizeof(*hedge->runs));
    return hedge->percentile != 0 && hedge->runs == NULL ? ENOMEM : 0;
}

int lam_hedge_open(struct lam_hedge **hedge, const struct lam_retry_options *options)
{
    uint32_t threads = options->hedge_threads;
    struct lam_hedge *made = calloc(1, sizeof(*made) + threads * sizeof(made->runners[0]));
    int rc;

    if (made == NULL)
        return -ENOMEM;
    rc = make_delay(made, options);
    LAM_ASSERT(pthread_mutex_init(&made->lock, NULL) == 0);
    for (uint32_t i = 0; rc == 0 && i < threads; i++) {
        made->runners[i].hedge = made;
        init_monotonic(&made->runners[i].changed);
        rc = pthread_create(&made->runners[i].thread, NULL, serve, &made->runners[i]);
        if (rc == 0) {
            lock(made);
            made->thread_count++;
            unlock(made);
        }
    }
    if (rc != 0) {
        lam_hedge_close(made);
        return -rc;
    }
    *hedge = made;
    return 0;
}

void lam_hedge_close(struct lam_hedge *hedge)
{
    if (hedge == NULL)
        return;
    lock(hedge);
    hedge->is_ending = 1;
    for (uint32_t i = 0; i < hedge->thread_count; i++)
        LAM_ASSERT(pthread_cond_signal(&hedge->runners[i].changed) == 0);
    unlock(hedge);
    for (uint32_t i = 0; i < hedge->thread_count; i++) {
        LAM_ASSERT(pthread_join(hedge->runners[i].thread, NULL) == 0);
        (void)pthread_cond_destroy(&hedge->runners[i].changed);
        free(hedge->runners[i].request.bytes);
        free(hedge->runners[i].answer.bytes);
    }
    (void)pthread_mutex_destroy(&hedge->lock);
    free(hedge->runs);
    free(hedge);
}
