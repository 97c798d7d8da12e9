/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_SEQUENCER_APPS_H
#define LAM_SEQUENCER_APPS_H

/*
 * apps.h: three applications. Requests and replies are tables of the schemas beside them: verified
 * where they come in, by decode, and read in place by apply.
 */

#include "lamina/sequencer/app.h"

/* A number that is added to; each change is published. */
extern const struct lam_app counter_app;

/* Keys and values, with compare-and-set by version. */
extern const struct lam_app store_app;

/* Token buckets, filled by the sequencer's time. */
extern const struct lam_app limiter_app;

#endif
