/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_SEQUENCER_LISTING_H
#define LAM_SEQUENCER_LISTING_H

/*
 * listing.h: the names in the folder, in memory that grows with them, up to a bound.
 */

#include "env/env.h"

struct listing {
    char *names; /* each with a zero behind it */
    uint64_t room, bytes;
};

/*
 * More room for LAM_ENV_LIST than it had, at first some: what was there is gone. Returns 0, or
 * -ENOMEM; -ENOSPC: no folder of ours has so many names.
 */
int listing_grow(struct listing *listing);

/* All names. Waits. Returns 0, or -errno of the call or as above. */
int listing_read(struct listing *listing, struct lam_env *env);

/* The name behind @name, or with NULL the first one; NULL: there are no more. */
const char *listing_next(const struct listing *listing, const char *name);

void listing_free(struct listing *listing);

#endif
