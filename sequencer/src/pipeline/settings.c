/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/settings.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "env/thread.h"
#include "journal/batch.h"
#include "pipeline/runner.h"
#include "pipeline/shared.h"

#define OR(field, value)                                                                           \
    do {                                                                                           \
        if (settings->field == 0)                                                                  \
            settings->field = (value);                                                             \
    } while (0)

#define MIB (UINT64_C(1) << 20)
#define MS  UINT64_C(1000000)

static void fill(struct lam_sequencer_config *settings, const struct lam_app *app)
{
    OR(segment_bytes, 64 * MIB);
    OR(reserve_bytes, settings->segment_bytes / 4);
    OR(batch_bytes, (uint32_t)(MIB / 4));
    OR(input_cells, 65536);
    OR(output_cells, 65536);
    OR(sessions_max, 1024);
    OR(connections_max, 1024);
    OR(window, 64);
    OR(reply_bytes, (uint64_t)settings->window * app->reply_bytes_max);
    OR(tick_ns, 250 * MS);
    OR(digest_events, MIB);
    OR(heartbeat_ns, 10000 * MS);
    if (settings->threads == 0) {
        settings->threads = env_cpu_count();
        if (settings->threads > RUNNER_THREADS_MAX)
            settings->threads = RUNNER_THREADS_MAX;
    }
}

static int is_power_of_two(uint64_t value)
{
    return value != 0 && (value & (value - 1)) == 0;
}

static int check_app(const struct lam_app *app, struct lam_error *error)
{
    size_t count = app->name != NULL ? strlen(app->name) : 0;

    if (count == 0 || count > 31)
        return lam_error_set(error, -EINVAL, "app.name: %zu bytes; it has 1 to 31", count);
    if (app->create == NULL || app->destroy == NULL || app->apply == NULL ||
        app->snapshot == NULL || app->restore == NULL || app->digest == NULL)
        return lam_error_set(error, -EINVAL,
            "app %s: create, destroy, apply, snapshot, restore and digest are required", app->name);
    return 0;
}

int settings_fill(struct lam_sequencer_config *settings, const struct lam_sequencer_config *config,
    const struct lam_app *app, struct lam_error *error)
{
    uint64_t record;
    int result = check_app(app, error);

    if (result < 0)
        return result;
    *settings = *config;
    fill(settings, app);
    record = (uint64_t)app->event_bytes_max + BATCH_HEADER_BYTES + BATCH_RECORD_BYTES + 32;
    if (record > settings->batch_bytes)
        return lam_error_set(error, -EINVAL,
            "batch_bytes: %u; an event of %s can have %u bytes: raise it to %llu or more",
            settings->batch_bytes, app->name, app->event_bytes_max, (unsigned long long)record);
    if (!is_power_of_two(settings->window))
        return lam_error_set(error, -EINVAL, "window: %u is not a power of two", settings->window);
    if (!is_power_of_two(settings->input_cells) || !is_power_of_two(settings->output_cells))
        return lam_error_set(error, -EINVAL,
            "input_cells: %u, output_cells: %u: each is a power of two", settings->input_cells,
            settings->output_cells);
    if (settings->disk == LAM_SEQUENCER_DISK_URING)
        return lam_error_set(error, -ENOTSUP,
            "disk: there is no io_uring yet: leave it out, or ask for plain calls");
    if (settings->threads > RUNNER_THREADS_MAX)
        return lam_error_set(error, -EINVAL, "threads: %u; a node has work for %u at most",
            settings->threads, RUNNER_THREADS_MAX);
    if (settings->connections_max > PLACES_MAX)
        return lam_error_set(error, -EINVAL, "connections_max: %u is above %u",
            settings->connections_max, PLACES_MAX);
    return 0;
}
