/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RUNTIME_RESOLVE_H
#define LAM_RUNTIME_RESOLVE_H

/*
 * resolve.h: from what a user calls a module to its file, and to what that file has to be.
 *
 * A chain: a path; the registry; the directories in their order. The first that has what is asked
 * for is taken.
 */

#include <pthread.h>

#include "lamina/base/error.h"
#include "lamina/runtime/registry.h"
#include "lamina/runtime/version.h"

#define SUM_BYTES 32 /* of SHA-256 */

/* What a reference came to. Freed by lam_found_free(). */
struct lam_found {
    char *path;
    struct lam_range range;     /* that the module's version has to be in */
    struct lam_version version; /* that its file's name or the registry says it is */
    uint32_t has_version;
    uint32_t has_sum;
    uint8_t sum[SUM_BYTES]; /* that the registry says its bytes have */
};

/* The SHA-256 of what may run. */
struct lam_allowed {
    uint32_t count; /* 0: everything */
    uint8_t (*sums)[SUM_BYTES];
};

struct lam_registered {
    char name[LAM_NAME_BYTES_MAX];
    char *path;
    struct lam_version version;
    uint32_t has_sum;
    uint8_t sum[SUM_BYTES];
};

struct lam_registry {
    pthread_mutex_t lock;
    /* Guarded by it. */
    struct lam_registered *entries;
    uint32_t count;
};

/*
 * Returns 0 and fills *@found, or an error of lam_runtime_load().
 */
int lam_resolve(const struct lam_runtime *runtime, const char *reference, struct lam_found *found,
    struct lam_error *error);

void lam_found_free(struct lam_found *found);

/* Is @file "NAME.so" or "NAME-1.2.3.so" of the @name_bytes at @name? Returns 0 no, 1 yes and
 * without a version, 2 with one, in *@version. */
int lam_resolve_fits(
    const char *file, const char *name, size_t name_bytes, struct lam_version *version);

/* Its generation turned out to be of @version, or to say nothing of it (all zero), and is then
 * what its file's name says. Returns 0, -ENOENT it is not in the range that was asked for, or
 * -EPROTO it is not what it is called. */
int lam_found_check(
    const struct lam_found *found, struct lam_version *version, struct lam_error *error);

/* ---- registry.c ---- */

void lam_registry_init(struct lam_registry *registry);
void lam_registry_fini(struct lam_registry *registry);

/* The newest of @name in @range. Returns 1 and fills path (a copy), version and sum of *@found; 0
 * there is none; or -ENOMEM. */
int lam_registry_find(struct lam_registry *registry, const char *name, size_t name_bytes,
    const struct lam_range *range, struct lam_found *found);

/* Read 64 hexadecimal digits. Returns 0 or -EINVAL. */
int lam_sum_parse(const char *text, uint8_t sum[SUM_BYTES]);

#endif
