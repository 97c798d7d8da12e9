/* SPDX-License-Identifier: Apache-2.0 */
#include "journal/listing.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_BYTES (UINT64_C(64) << 10)
#define BYTES_MAX   (UINT64_C(64) << 20)

int listing_grow(struct listing *listing)
{
    uint64_t room = listing->room == 0 ? FIRST_BYTES : 4 * listing->room;

    listing_free(listing);
    if (room > BYTES_MAX)
        return -ENOSPC;
    listing->names = malloc(room);
    if (listing->names == NULL)
        return -ENOMEM;
    listing->room = room;
    return 0;
}

int listing_read(struct listing *listing, struct lam_env *env)
{
    int64_t result = -ENOSPC;

    while (result == -ENOSPC) {
        struct lam_env_io io = {.name = NULL};
        int grown = listing_grow(listing);

        if (grown < 0)
            return grown;
        io.bytes = listing->names;
        io.count = listing->room;
        result = lam_env_do(env, &io, LAM_ENV_LIST);
    }
    if (result < 0)
        return (int)result;
    listing->bytes = (uint64_t)result;
    return 0;
}

const char *listing_next(const struct listing *listing, const char *name)
{
    const char *next = name == NULL ? listing->names : name + strlen(name) + 1;

    return listing->names != NULL && next < listing->names + listing->bytes ? next : NULL;
}

void listing_free(struct listing *listing)
{
    free(listing->names);
    *listing = (struct listing){.names = NULL};
}
