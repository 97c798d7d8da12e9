/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/machine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "machine/parts.h"

static int check_app(const struct lam_app *app, struct lam_error *error)
{
    size_t length = app != NULL && app->name != NULL ? strnlen(app->name, 32) : 0;

    if (length == 0 || length > 31)
        return lam_error_set(error, -EINVAL, "the application's name has 1 to 31 bytes");
    if (app->create == NULL || app->destroy == NULL || app->apply == NULL ||
        app->snapshot == NULL || app->restore == NULL || app->digest == NULL)
        return lam_error_set(error, -EINVAL,
            "application %s: create, destroy, apply, snapshot, restore and digest are required",
            app->name);
    if (app->event_bytes_max > MACHINE_BYTES_MAX || app->reply_bytes_max > MACHINE_BYTES_MAX ||
        app->publish_bytes_max > MACHINE_BYTES_MAX)
        return lam_error_set(error, -EINVAL,
            "application %s: event, reply and what is published have at most %u bytes", app->name,
            MACHINE_BYTES_MAX);
    return 0;
}

static int check_config(const struct machine_config *config, struct lam_error *error)
{
    int result = check_app(config->app, error);

    if (result != 0)
        return result;
    if (config->sessions_max == 0 || config->sessions_max > MACHINE_SESSIONS_MAX)
        return lam_error_set(error, -EINVAL, "sessions_max is %u; 1 to %u", config->sessions_max,
            MACHINE_SESSIONS_MAX);
    if (config->window == 0 || config->window > MACHINE_WINDOW_MAX ||
        (config->window & (config->window - 1)) != 0)
        return lam_error_set(error, -EINVAL, "window is %u; a power of two up to %u",
            config->window, MACHINE_WINDOW_MAX);
    if (config->reply_bytes < config->app->reply_bytes_max ||
        config->reply_bytes > MACHINE_REPLY_BYTES_MAX)
        return lam_error_set(error, -EINVAL,
            "reply_bytes is %llu; at least one reply, which has up to %u, and at most %llu",
            (unsigned long long)config->reply_bytes, config->app->reply_bytes_max,
            (unsigned long long)MACHINE_REPLY_BYTES_MAX);
    return 0;
}

int machine_create(
    struct machine **machine, const struct machine_config *config, struct lam_error *error)
{
    int result = check_config(config, error);
    struct machine *made;

    if (result != 0)
        return result;
    made = calloc(1, sizeof(*made));
    if (made == NULL)
        return -ENOMEM;
    made->config = *config;
    if (sessions_create(&made->sessions, config->sessions_max, config->window) != 0 ||
        output_create(&made->output, config->app) != 0 ||
        (made->state = config->app->create(config->app->config)) == NULL) {
        machine_destroy(made);
        return lam_error_set(error, -ENOMEM, "no memory for the machine");
    }
    *machine = made;
    return 0;
}

void machine_destroy(struct machine *machine)
{
    if (machine == NULL)
        return;
    if (machine->state != NULL)
        machine->config.app->destroy(machine->state);
    sessions_destroy(&machine->sessions);
    output_destroy(&machine->output);
    free(machine);
}

/* The pieces that were published, behind the items of other kinds. */
int machine_item(const struct machine *machine, uint32_t index, struct machine_item *item)
{
    const struct lam_app_output *output = &machine->output;
    uint32_t piece, begin;

    if (index < machine->item_count) {
        *item = machine->items[index];
        return 1;
    }
    piece = index - machine->item_count;
    if (piece >= output->pieces)
        return 0;
    begin = piece == 0 ? 0 : output->ends[piece - 1];
    *item = (struct machine_item){.kind = ITEM_PUBLISH,
        .index = piece,
        .sequence = machine->item_sequence,
        .bytes = output->published + begin,
        .count = output->ends[piece] - begin};
    return 1;
}

uint64_t machine_next(const struct machine *machine)
{
    return machine->next;
}

uint64_t machine_time_ns(const struct machine *machine)
{
    return machine->time_ns;
}

uint32_t machine_started(const struct machine *machine)
{
    return machine->started;
}

uint64_t machine_epoch(const struct machine *machine)
{
    return machine->epoch;
}

int machine_session(
    const struct machine *machine, uint64_t session, struct record_open *open, uint64_t *floor)
{
    const struct session *found = sessions_find(&machine->sessions, session);

    if (found == NULL)
        return 0;
    if (open != NULL)
        *open = found->open;
    if (floor != NULL)
        *floor = found->replies.floor;
    return 1;
}

uint64_t machine_kept_digest(const struct machine *machine, uint8_t digest[BLAKE3_BYTES])
{
    if (machine->kept_sequence != 0)
        memcpy(digest, machine->kept_digest, BLAKE3_BYTES);
    return machine->kept_sequence;
}
