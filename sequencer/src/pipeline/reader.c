/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reader.c: the stage that takes what clients send and puts it in order.
 */
#include "pipeline/reader.h"

#include <errno.h>
#include <string.h>

#define BEGIN_AGAIN_NS UINT64_C(1000000)

static struct reader *of(struct stage *stage)
{
    return (struct reader *)stage;
}

/* The next event of the transports, in turn. Returns 1, 0, or negative errno. */
static int next_event(struct reader *reader)
{
    const struct node_config *config = &reader->node->config;

    for (unsigned tried = 0; tried < config->transport_count; tried++) {
        struct transport *transport = config->transports[reader->turn];
        int result = transport->ops->next(transport, &reader->event);

        reader->turn = (reader->turn + 1) % config->transport_count;
        if (result < 0)
            return lam_error_set(&reader->stage.error, result,
                "transport %u: no more clients can come: %s", transport->number,
                strerrordesc_np(-result));
        if (result == 1)
            return 1;
    }
    return 0;
}

/* One event. Returns 1; 0: there is none, or no room for what follows; or negative errno. */
static int take_event(struct reader *reader)
{
    int result;

    if (!reader->has_event) {
        result = next_event(reader);
        if (result != 1)
            return result;
        reader->has_event = 1;
    }
    if (!reader_handle(reader, &reader->event)) {
        reader->stage.blocked_on = "the control ring";
        return 0;
    }
    reader->has_event = 0;
    return 1;
}

static int end(struct reader *reader)
{
    lam_framed_sender_close(&reader->input);
    lam_framed_sender_close(&reader->control);
    reader->phase = READER_ENDED;
    reader->stage.due_ns = UINT64_MAX;
    (void)stage_done(reader->node, NODE_READER);
    return 1;
}

/* When to step again, and whether for the progress of others. */
static void look_ahead(struct reader *reader)
{
    uint64_t now_ns = reader->env->ops->now_ns(reader->env);
    uint64_t own_ns = reader_own_due_ns(reader);

    reader->stage.due_ns = reader->beat_ns;
    if (own_ns <= now_ns)
        reader->stage.blocked_on = "the input ring";
    else if (own_ns < reader->beat_ns)
        reader->stage.due_ns = own_ns;
    if (reader->waiting != 0 && reader->stage.blocked_on == NULL)
        reader->stage.blocked_on = "answers";
    if (reader->is_digest_due && reader->stage.blocked_on == NULL)
        reader->stage.blocked_on = "a digest";
}

static int step(struct stage *stage, unsigned budget)
{
    struct reader *reader = of(stage);
    unsigned worked = 0, did;

    if (reader->phase == READER_ENDED)
        return 0;
    stage->blocked_on = NULL;
    if (lam_load_acquire(&reader->node->is_stopping))
        return end(reader);
    do
        worked += did = reader_put_own(reader);
    while (did != 0 && worked < budget);
    if (reader->phase == READER_SERVING) {
        worked += reader_let_go(reader) + reader_beat(reader);
        while (worked < budget) {
            int result = take_event(reader);

            if (result < 0)
                return result;
            if (result == 0)
                break;
            worked++;
        }
    }
    look_ahead(reader);
    return (int)worked;
}

int reader_init(struct reader *reader, struct node *node)
{
    const struct lam_sequencer_config *settings = &node->settings;
    struct machine *machine = node->application.machine;
    uint64_t now_ns;

    reader->node = node;
    reader->env = node->config.envs[NODE_READER];
    reader->stage = (struct stage){.name = "reader", .step = step};
    reader->next_sequence = machine_next(machine);
    reader->last_time_ns = machine_time_ns(machine);
    reader->startup_index = machine_started(machine);
    now_ns = reader->env->ops->now_ns(reader->env);
    /* A clock that began anew goes on from where time has come to. */
    if (now_ns <= reader->last_time_ns)
        reader->time_offset_ns = reader->last_time_ns + BEGIN_AGAIN_NS - now_ns;
    reader->tick_ns = settings->tick_ns == UINT64_MAX || node->app->tick == NULL
                          ? UINT64_MAX
                          : now_ns + settings->tick_ns;
    reader->beat_ns = now_ns + settings->heartbeat_ns / 2;
    reader->digest_at = reader->next_sequence + settings->digest_events;
    reader->rules = (struct greeting_rules){.keys = node->config.keys};
    memcpy(reader->rules.node, &node->journaling.journal.id, sizeof(node->journaling.journal.id));
    reader->clients = calloc(settings->connections_max, sizeof(*reader->clients));
    return map_create(&reader->by_handle, settings->connections_max) == 0 && reader->clients != NULL
               ? 0
               : -ENOMEM;
}

void reader_fini(struct reader *reader)
{
    map_destroy(&reader->by_handle);
    free(reader->clients);
    reader->clients = NULL;
}
