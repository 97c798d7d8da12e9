/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RUNTIME_OPTION_H
#define LAM_RUNTIME_OPTION_H

/*
 * option.h: how a key of the file becomes a field of an option struct.
 *
 * Each struct has one table in tables.c: rows of lamina::config, each with the field that it fills.
 * A new option is a new row, and nothing else. What is stored, by the row's kind and the size of
 * the field:
 *
 *     NUMBER, BYTES, DURATION, FLAG   the number; all bits set for a word in its place
 *     WORD                            its index in `words`, in the order of its enum
 *     TEXT, NAME                      a pointer to it; OPTION_PATH: made absolute
 *     LIST of TEXT                    a pointer to its items, joined by ':'; OPTION_PATH as above
 *     LIST with OPTION_SPACED         the same, joined by ' '
 *     LIST with OPTION_ARRAY          a pointer to an array of pointers; OPTION_COUNT() says where
 *                                     their number goes, 32 bits
 *     LIST of WORD                    a set of bits, bit i for the word of index i
 *     LIST of RECORD                  an array of structs, each filled by the items' table, whose
 *                                     row says how many bytes one has; within the struct, or with
 *                                     OPTION_ARRAY behind a pointer; OPTION_COUNT() as above
 *     RECORD                          a struct within the struct, filled by its own table
 *     RECORD with OPTION_POINTER      a pointer to such a struct; NULL where the key is missing
 */

#include "lamina/config/config.h"
#include "lamina/runtime/batch.h"
#include "lamina/runtime/breaker.h"
#include "lamina/runtime/cache.h"
#include "lamina/runtime/config.h"
#include "lamina/runtime/discover.h"
#include "lamina/runtime/health.h"
#include "lamina/runtime/limits.h"
#include "lamina/runtime/pool.h"
#include "lamina/runtime/retry.h"
#include "lamina/runtime/split.h"
#include "lamina/runtime/trace.h"

#include <stddef.h>

#define OPTION_PATH    LAM_CONFIG_CALLERS
#define OPTION_POINTER (LAM_CONFIG_CALLERS << 1) /* `max`: bytes of the struct pointed to */
#define OPTION_SPACED  (LAM_CONFIG_CALLERS << 2)
#define OPTION_ARRAY   (LAM_CONFIG_CALLERS << 3)

#define OPTION_COUNT_SHIFT         20
#define OPTION_COUNT(type, member) ((uint32_t)offsetof(type, member) << OPTION_COUNT_SHIFT)

#define OPTION_HOUR (3600 * LAM_NS_PER_S)

/* The field that a row fills. */
#define INTO(type, member) .offset = offsetof(type, member), .bytes = sizeof(((type *)0)->member)

/* Calls that go to another module, from the load on. */
struct option_split {
    const char *candidate;
    struct lam_split_options options;
};

/* What a module's record fills. */
struct option_module {
    struct lam_runtime_wanted wanted;
    const struct option_split *split;                   /* or NULL */
    const char *config_text, *config_hex, *config_file; /* one of them, at most */
};

/* Directories that are watched, and what their modules are loaded with. */
struct option_discover {
    struct lam_discover_options options;
    struct option_module module;
};

/* What the top of the file fills. */
struct option_top {
    struct option_discover *discover; /* or NULL */
    struct lam_runtime_options runtime;
    struct lam_runtime_serving serving;
    const char *registry;
};

extern const struct lam_config_field option_root;            /* the file: fills struct option_top */
extern const struct lam_config_field option_module_fields[]; /* struct option_module */

/* ---- stages.c: one for each option struct of that name ---- */

extern const struct lam_config_field option_path_item;
extern const struct lam_config_field option_sandbox_fields[];
extern const struct lam_config_field option_breaker_fields[];
extern const struct lam_config_field option_cache_fields[];
extern const struct lam_config_field option_batch_fields[];
extern const struct lam_config_field option_health_fields[];

/* ---- traffic.c, likewise ---- */

extern const struct lam_config_field option_limits_fields[];
extern const struct lam_config_field option_trace_fields[];
extern const struct lam_config_field option_pool_fields[];
extern const struct lam_config_field option_retry_fields[];
extern const struct lam_config_field option_split_fields[]; /* struct option_split */

/* Memory that lives as long as the config. */
struct option_memory {
    struct option_memory *next;
    _Alignas(16) char bytes[];
};

struct lam_runtime_config {
    struct lam_config *file;
    struct option_top top;
    struct option_module *modules;
    const struct lam_config_node **nodes; /* of each module, for messages */
    uint32_t module_count;
    int is_out_of_memory;
    char *folder; /* absolute: of the file */
    struct option_memory *memory;
};

/* Zeroed memory; NULL, and is_out_of_memory, where there is none. */
void *option_allocate(struct lam_runtime_config *config, size_t bytes);

/* @path as it is seen from the folder of the file. NULL as option_allocate(). */
const char *option_path(struct lam_runtime_config *config, const char *path);

/* Fill the struct at @into from @record by its table @fields. */
void option_fill(struct lam_runtime_config *config, void *into,
    const struct lam_config_node *record, const struct lam_config_field *fields);

/* The bytes of a module's configuration, however the file gives them; notes problems at @node. */
void option_fill_config(struct lam_runtime_config *config, struct option_module *module,
    const struct lam_config_node *node);

#endif
