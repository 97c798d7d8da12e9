/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_SEQUENCER_SETTINGS_H
#define LAM_SEQUENCER_SETTINGS_H

/*
 * settings.h: a configuration with its defaults filled in, and looked at.
 */

#include "lamina/base/error.h"
#include "lamina/sequencer/sequencer.h"

/*
 * *@settings becomes @config with a value for each zero. Returns 0, or -EINVAL: @error says which
 * field, what was found, and what would do.
 */
int settings_fill(struct lam_sequencer_config *settings, const struct lam_sequencer_config *config,
    const struct lam_app *app, struct lam_error *error);

#endif
