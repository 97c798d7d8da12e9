/* SPDX-License-Identifier: Apache-2.0 */
/*
 * worker.c: one of N that do the same. Sees each step where it lies, answers it, keeps nothing.
 *
 * Waits in slices, so that it ends when the topology does, whatever the rings say.
 */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "attach.h"
#include "inference.h"
#include "lamina/base/clock.h"
#include "stop.h"
#include "tokens.h"

#define SLICE_NS (50 * LAM_NS_PER_MS)

/* What a reply takes besides its tokens: offsets, vtable, scalars, alignment. */
#define REPLY_BYTES 128

struct worker {
    struct lam_topology *topology;
    struct receiving_end steps;
    struct sending_end replies;
    int is_alone; /* the scheduler died, and we have said so */
};

/* A step whose parts fit together: vectors as they lie in the ring. */
struct step {
    uint64_t id;
    uint32_t flags;
    struct lam_u64_span sequence_ids;
    struct lam_u32_span token_counts;
    struct lam_u32_span tokens;
};

static int say(const struct worker *worker, const char *what, int rc)
{
    (void)fprintf(
        stderr, "%s: %s: %s\n", lam_topology_end_name(worker->topology), what, strerror(-rc));
    return rc;
}

/* Returns 0 or -EBADMSG: the codec has verified the message, but not that its counts agree. */
static int read_step(const void *payload, struct step *step)
{
    struct lamina_inference_Step_view view = lamina_inference_Step_root(payload);
    uint64_t total = 0;

    step->id = lamina_inference_Step_get_id(view);
    step->flags = (uint32_t)lamina_inference_Step_get_flags(view);
    step->sequence_ids = lamina_inference_Step_get_sequence_ids(view);
    step->token_counts = lamina_inference_Step_get_token_counts(view);
    step->tokens = lamina_inference_Step_get_tokens(view);
    if (step->sequence_ids.count != step->token_counts.count)
        return -EBADMSG;
    for (uint32_t i = 0; i < step->token_counts.count; i++) {
        if (step->token_counts.data[i] == 0)
            return -EBADMSG;
        total += step->token_counts.data[i];
    }
    return total == step->tokens.count ? 0 : -EBADMSG;
}

/* The model: fills @produced, returns the checksum. */
static uint64_t compute(const struct step *step, uint32_t *produced)
{
    uint64_t checksum = checksum_begin(step->id, step->flags);
    const uint32_t *tokens = step->tokens.data;

    for (uint32_t i = 0; i < step->sequence_ids.count; i++) {
        uint64_t id = step->sequence_ids.data[i];
        uint32_t count = step->token_counts.data[i];

        produced[i] = token_produce(id, tokens, count);
        checksum = checksum_add(checksum, id, count, tokens[0], produced[i]);
        tokens += count;
    }
    return checksum;
}

/* Room for a reply, as long as it takes. Returns 0, -ECANCELED when the run ends, or an error. */
static int claim_reply(struct worker *worker, uint64_t bytes, struct lam_fb_builder *builder)
{
    int rc;

    do {
        if (stop_asked(worker->topology))
            return -ECANCELED;
        rc = lam_zerocopy_sender_claim_until(
            &worker->replies.sender, bytes, lam_deadline_after_ns(SLICE_NS), builder);
    } while (rc == -ETIMEDOUT);
    return rc;
}

static int answer(struct worker *worker, const struct step *step, uint64_t started_ns)
{
    uint32_t count = step->sequence_ids.count;
    struct lamina_inference_Reply_at reply;
    struct lam_fb_builder builder;
    uint32_t *produced;
    int rc = claim_reply(worker, REPLY_BYTES + sizeof(*produced) * (uint64_t)count, &builder);

    if (rc != 0)
        return rc;
    reply = lamina_inference_Reply_start(&builder);
    lamina_inference_Reply_set_step_id(&builder, reply, step->id);
    lamina_inference_Reply_set_worker(&builder, reply, lam_topology_index(worker->topology));
    produced = lamina_inference_Reply_open_produced(&builder, reply, count);
    if (produced != NULL)
        lamina_inference_Reply_set_checksum(&builder, reply, compute(step, produced));
    lamina_inference_Reply_set_started_ns(&builder, reply, started_ns);
    lamina_inference_Reply_set_finished_ns(&builder, reply, lam_clock_now_ns());
    return lam_zerocopy_sender_commit(&worker->replies.sender, &builder, 0);
}

/*
 * The scheduler died. What becomes of us is for the topology to say: it stops, or starts another
 * scheduler, which goes on in the same ring. Returns as work().
 */
static int await_scheduler(struct worker *worker)
{
    struct timespec span = {.tv_nsec = 5 * (long)LAM_NS_PER_MS};

    if (stop_asked(worker->topology))
        return -ECANCELED;
    if (!worker->is_alone)
        (void)say(worker, "the scheduler is gone", -EOWNERDEAD);
    worker->is_alone = 1;
    (void)nanosleep(&span, NULL);
    return 0;
}

/* Returns 0 to go on, -EPIPE or -ECANCELED at the end of the run, or an error that was said. */
static int work(struct worker *worker)
{
    struct lam_zerocopy_receiver *receiver = &worker->steps.receiver;
    struct lam_zerocopy_view view;
    struct step step;
    int rc = lam_zerocopy_receiver_view_until(receiver, lam_deadline_after_ns(SLICE_NS), &view);

    if (rc == -ETIMEDOUT)
        return stop_asked(worker->topology) ? -ECANCELED : 0;
    if (rc == -EPIPE)
        return rc;
    if (rc == -EOWNERDEAD)
        return await_scheduler(worker);
    if (rc == -EBADMSG)
        return say(worker, lam_zerocopy_receiver_reason(receiver), rc);
    if (rc != 0)
        return say(worker, "cannot receive a step", rc);

    worker->is_alone = 0;
    if (read_step(view.payload, &step) != 0)
        return say(worker, "a step whose counts do not agree", -EBADMSG);
    lam_topology_progress(worker->topology, step.id);
    rc = answer(worker, &step, lam_clock_now_ns());
    lam_zerocopy_receiver_release(receiver, &view);
    return rc == 0 || rc == -ECANCELED ? rc : say(worker, "cannot reply", rc);
}

static int attach(struct worker *worker, struct lam_error *error)
{
    struct lam_topology *topology = worker->topology;
    int rc = attach_sender(&worker->replies, topology,
        &(struct ring_of_edge){
            EDGE_REPLIES, lam_topology_index(topology), &lamina_inference_Reply_flatbuffers},
        error);

    if (rc != 0)
        return rc;
    return attach_receiver(&worker->steps, topology,
        &(struct ring_of_edge){EDGE_STEPS, 0, &lamina_inference_Step_flatbuffers}, error);
}

int main(void)
{
    static struct worker worker;
    struct lam_error error = {""};
    int rc;

    (void)setvbuf(stderr, NULL, _IOLBF, BUFSIZ); /* lines in one piece */
    stop_init();
    rc = lam_topology_open(&worker.topology, NULL, NULL, 0, &error);
    if (rc == 0)
        rc = attach(&worker, &error);
    if (rc != 0) {
        (void)fprintf(stderr, "lamina-inference-worker: %s\n", error.text);
        return 1;
    }
    lam_topology_ready(worker.topology);
    do
        rc = work(&worker);
    while (rc == 0);
    lam_zerocopy_receiver_detach(&worker.steps.receiver);
    if (rc == -EPIPE || rc == -ECANCELED)
        lam_zerocopy_sender_close(&worker.replies.sender);
    lam_zerocopy_sender_detach(&worker.replies.sender);
    lam_topology_close(worker.topology);
    return rc == -EPIPE || rc == -ECANCELED ? 0 : 1;
}
