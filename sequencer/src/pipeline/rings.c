/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rings.c: the rings between the stages, in memory of this process, and their ends. Nobody sleeps
 * on them: stages that wait, wait in their env, and the runner wakes them.
 */
#include <errno.h>

#include "pipeline/parts.h"

/* Cells of the control ring: what it has, the writer's table of pending entries has room for. */
#define CONTROL_CELLS 8192

static int create(struct node *node, struct lam_ring *ring, const char *name, uint64_t cells,
    struct lam_error *error)
{
    struct lam_ring_options options = {.backing = LAM_BACKING_ANONYMOUS,
        .name = name,
        .depth = cells,
        .waiting = LAM_RING_SPIN_ONLY};
    int result = lam_ring_create(ring, &options, error);

    node->rings += result == 0;
    return result;
}

static int attach_intake(
    struct intake *intake, struct lam_ring *ring, const char *name, struct lam_error *error)
{
    struct lam_framed_receiver_options options = {.consumer.name = name};

    intake->has_message = 0;
    return lam_framed_receiver_attach(&intake->receiver, ring, &options, error);
}

/* What an entry can have must fit half of its ring. */
static int check_sizes(const struct node *node, struct lam_error *error)
{
    const struct lam_app *app = node->app;
    uint64_t input = lam_ring_payload_bytes_max(&node->input);
    uint64_t output = lam_ring_payload_bytes_max(&node->output);

    if (input < sizeof(struct input_entry) + sizeof(struct record_app) + app->event_bytes_max)
        return lam_error_set(error, -EINVAL,
            "input_cells: %u; an event of %u bytes does not fit half of that ring: raise it",
            node->settings.input_cells, app->event_bytes_max);
    if (output < sizeof(struct output_entry) + 128 + app->reply_bytes_max ||
        output / 4 < sizeof(struct output_entry) + app->publish_bytes_max)
        return lam_error_set(error, -EINVAL,
            "output_cells: %u; a reply of %u bytes does not fit half of that ring, or what one "
            "event publishes, %u bytes, an eighth of it: raise it",
            node->settings.output_cells, app->reply_bytes_max, app->publish_bytes_max);
    return 0;
}

#define INTAKES 6
#define SENDERS 3

/* All ends, in the order in which they are placed. */
struct ends {
    struct lam_framed_sender *senders[SENDERS];
    struct lam_ring *sent[SENDERS];
    struct intake *intakes[INTAKES];
    struct lam_ring *taken[INTAKES];
    const char *names[INTAKES];
};

static struct ends ends_of(struct node *node)
{
    return (struct ends){
        .senders = {&node->reader.input, &node->reader.control, &node->application.output},
        .sent = {&node->input, &node->control, &node->output},
        .intakes = {&node->journaling.input, &node->application.input, &node->shadow.input,
            &node->response.output, &node->publisher.output, &node->response.control},
        .taken = {&node->input, &node->input, &node->input, &node->output, &node->output,
            &node->control},
        .names = {"journal", "application", "shadow", "response", "publisher", "response"},
    };
}

static int attach_all(struct node *node, struct lam_error *error)
{
    struct ends ends = ends_of(node);
    int result = 0;

    for (unsigned i = 0; i < INTAKES && result == 0; i++) {
        result = attach_intake(ends.intakes[i], ends.taken[i], ends.names[i], error);
        node->intakes += result == 0;
    }
    for (unsigned i = 0; i < SENDERS && result == 0; i++) {
        result = lam_framed_sender_attach(ends.senders[i], ends.sent[i], NULL, error);
        node->senders += result == 0;
    }
    return result;
}

int rings_open(struct node *node, struct lam_error *error)
{
    const struct lam_sequencer_config *settings = &node->settings;
    int result;

    if ((result = create(node, &node->input, "sequencer.input", settings->input_cells, error)) ==
            0 &&
        (result = create(node, &node->output, "sequencer.output", settings->output_cells, error)) ==
            0 &&
        (result = create(node, &node->control, "sequencer.control", CONTROL_CELLS, error)) == 0 &&
        (result = check_sizes(node, error)) == 0)
        result = attach_all(node, error);
    return result;
}

void rings_close(struct node *node)
{
    struct lam_ring *rings[] = {&node->input, &node->output, &node->control};
    struct ends ends = ends_of(node);

    while (node->senders > 0)
        lam_framed_sender_detach(ends.senders[--node->senders]);
    while (node->intakes > 0)
        lam_framed_receiver_detach(&ends.intakes[--node->intakes]->receiver);
    while (node->rings > 0)
        (void)lam_ring_destroy(rings[--node->rings]);
}
