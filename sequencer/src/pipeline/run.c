/* SPDX-License-Identifier: Apache-2.0 */
/*
 * run.c: a node that is all that its process does.
 */
#include <stdio.h>

#include "env/thread.h"
#include "pipeline/sequencer.h"
#include "transport/socket.h"

/* Of this process, for its signals. */
static struct lam_sequencer *running;

static void stop_running(void)
{
    lam_sequencer_stop(running);
}

static void say_where(const struct lam_sequencer *sequencer, const struct lam_app *app)
{
    for (unsigned i = 0; i < sequencer->config.transport_count; i++) {
        char text[LAM_ERROR_TEXT_BYTES];

        (void)snprintf(text, sizeof(text), "%s: at %s, from sequence %llu on", app->name,
            socket_transport_address(sequencer->config.transports[i]),
            (unsigned long long)sequencer->first_sequence);
        env_say(text);
    }
}

int lam_sequencer_run(const struct lam_sequencer_config *config, const struct lam_app *app)
{
    struct lam_error error;
    int result = lam_sequencer_start(&running, config, app, &error);

    if (result < 0) {
        env_say(error.text);
        return 1;
    }
    env_catch_signals(stop_running);
    say_where(running, app);
    result = sequencer_wait(running, &error);
    if (result < 0)
        env_say(error.text);
    /* Signals may still come: what they stop is freed with the process. */
    return result < 0 ? 3 : 0;
}
