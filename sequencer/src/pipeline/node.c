/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/node.h"

#include <errno.h>
#include <stdlib.h>

#include "pipeline/parts.h"
#include "pipeline/settings.h"

static int init_stages(struct node *node)
{
    int result;

    journaling_init(&node->journaling, node);
    application_init(&node->application, node);
    publisher_init(&node->publisher, node);
    shadow_init(&node->shadow, node);
    result = response_init(&node->response, node);
    return result < 0 ? result : reader_init(&node->reader, node);
}

static int create_places(struct node *node)
{
    uint32_t count = node->settings.connections_max;
    void *memory = NULL;

    if (posix_memalign(&memory, sizeof(struct place), count * sizeof(struct place)) != 0)
        return -ENOMEM;
    node->places = memory;
    for (uint32_t i = 0; i < count; i++)
        node->places[i] = (struct place){.is_free = 1};
    return 0;
}

static int open_all(struct node *node, struct lam_error *error)
{
    struct lam_sequencer_config *settings = &node->settings;
    int result = settings_fill(settings, node->config.sequencer, node->app, error);

    if (result < 0)
        return result;
    node->machine_config = (struct machine_config){.app = node->app,
        .sessions_max = settings->sessions_max,
        .window = settings->window,
        .reply_bytes = settings->reply_bytes};
    if ((result = rings_open(node, error)) < 0 || (result = node_recover(node, error)) < 0)
        return result;
    if (create_places(node) < 0 || init_stages(node) < 0)
        return lam_error_set(error, -ENOMEM, "no memory for the stages");
    return 0;
}

int node_open(struct node **node, const struct node_config *config, struct lam_error *error)
{
    struct node *made = calloc(1, sizeof(*made));
    int result;

    if (made == NULL)
        return lam_error_set(error, -ENOMEM, "no memory for a node");
    made->config = *config;
    made->app = config->app;
    result = open_all(made, error);
    if (result < 0) {
        node_close(made);
        return result;
    }
    *node = made;
    return 0;
}

struct stage *node_stage(struct node *node, enum node_stage which)
{
    struct stage *const stages[NODE_STAGES] = {
        [NODE_READER] = &node->reader.stage,
        [NODE_JOURNAL] = &node->journaling.stage,
        [NODE_APPLICATION] = &node->application.stage,
        [NODE_RESPONSE] = &node->response.stage,
        [NODE_PUBLISHER] = &node->publisher.stage,
        [NODE_SHADOW] = &node->shadow.stage,
    };

    return stages[which];
}

void node_stop(struct node *node)
{
    lam_store_release(&node->is_stopping, 1);
    for (unsigned i = 0; i < NODE_STAGES; i++)
        node->config.envs[i]->ops->wake(node->config.envs[i]);
}

int node_is_done(const struct node *node)
{
    for (unsigned i = 0; i < NODE_STAGES; i++)
        if (!stage_is_done(node, (enum node_stage)i))
            return 0;
    return 1;
}

uint64_t node_next(const struct node *node)
{
    return node->reader.next_sequence;
}

void node_close(struct node *node)
{
    if (node->journaling.has_journal)
        journal_close(&node->journaling.journal);
    reader_fini(&node->reader);
    response_fini(&node->response);
    history_destroy(&node->publisher.history);
    if (node->application.machine != NULL)
        machine_destroy(node->application.machine);
    shadow_fini(&node->shadow);
    rings_close(node);
    free(node->places);
    free(node);
}
