/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RUNTIME_FEED_H
#define LAM_RUNTIME_FEED_H

/*
 * feed.h: what a runtime tells of itself, kept until a server sends it. A runtime has one feed, as
 * long as it lives, because nobody stops to observe it; a server opens and closes it.
 */

#include "lamina/runtime/remote.h"

struct remote_feed; /* opaque */

/* The feed of @runtime, open. Returns 0, -EBUSY it is open already, -ENOSPC too many observers,
 * -ENOMEM. */
int remote_feed_open(struct remote_feed **feed, struct lam_runtime *runtime);

void remote_feed_close(struct remote_feed *feed);

/* Returns 1 and the oldest event, or 0. */
int remote_feed_take(struct remote_feed *feed, struct lam_remote_event *event);

#endif
