/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RUNTIME_CONFIG_H
#define LAM_RUNTIME_CONFIG_H

/*
 * lamina/runtime/config.h: a runtime and its modules from one file, runtime.yaml.
 *
 * Runtime, floor 7, lamina::runtime_config. The file is read by lamina::config: what its tables do
 * not name is refused, with file, line and column. Each key fills one field of an option struct of
 * lamina/runtime; a key that is missing leaves the field at its default. Relative paths are
 * relative to the folder of the file. Where a module has no reference its name is looked for in
 * the directories.
 *
 * One thread at a time. What the calls here give out lives until lam_runtime_config_destroy().
 */

#include <stddef.h>

#include "lamina/runtime/remote.h"
#include "lamina/runtime/runtime.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LAM_RUNTIME_CONFIG_BYTES_MAX (UINT64_C(1) << 20) /* of a module's config_file */

struct lam_runtime_config; /* opaque: one file */
struct lam_config_field;

/* Where metrics are served over HTTP (lamina/metrics/http.h). */
struct lam_runtime_metrics {
    const char *address; /* in numbers; NULL: 127.0.0.1 */
    const char *socket;  /* a Unix socket instead; NULL: none */
    uint32_t port;       /* 0: any that is free */
    uint32_t reserved;   /* 0 */
};

/* What the file says to a program that serves the runtime to others. */
struct lam_runtime_serving {
    struct lam_remote_options remote;
    const struct lam_runtime_metrics *metrics; /* NULL: nowhere */
};

/* One module of the file. */
struct lam_runtime_wanted {
    const char *reference;
    struct lam_module_options options;
};

/*
 * Read the file at @path, with @sets ("modules.NAME.KEY=VALUE", "depth=3") in the place of what it
 * says, and check it. Nothing is loaded.
 *
 * *@report is set to NULL, or on failure to text of the caller's to print and free(): all problems
 * with file, line and column. Returns 0 and sets *@config, or
 *   -EINVAL  the file or a setting is wrong
 *   -ENOMEM, or what reading the file returned
 */
int lam_runtime_config_read(struct lam_runtime_config **config, const char *path,
    const char *const *sets, size_t set_count, char **report);

/* The same from @bytes of @text, which is called @name in messages. Relative paths are relative to
 * the folder of @name. */
int lam_runtime_config_read_text(struct lam_runtime_config **config, const char *name,
    const char *text, size_t bytes, char **report);

/* NULL is allowed. A runtime that was made of it does not need it, unless it discovers: then that
 * one ends first. */
void lam_runtime_config_destroy(struct lam_runtime_config *config);

/* For lam_runtime_create(); the log is for the caller to fill in, in a copy. */
const struct lam_runtime_options *lam_runtime_config_options(
    const struct lam_runtime_config *config);

const struct lam_runtime_serving *lam_runtime_config_serving(
    const struct lam_runtime_config *config);

/* The modules, in the order of the file. */
uint32_t lam_runtime_config_count(const struct lam_runtime_config *config);
const struct lam_runtime_wanted *lam_runtime_config_module(
    const struct lam_runtime_config *config, uint32_t index);

/*
 * Load all modules of the file into @runtime, in its order, or none: after an error those that were
 * loaded by this call are unloaded again, each before what it needs, and so are those that they
 * brought with loads_dependencies.
 *
 * Then its splits begin, and directories are watched until the runtime ends.
 *
 * Returns 0, or as lam_runtime_load(), lam_module_split_start() or lam_discover_start(); of a
 * module @error begins with its place in the file.
 */
int lam_runtime_config_load(
    struct lam_runtime_config *config, struct lam_runtime *runtime, struct lam_error *error);

/* The table of the file's keys, for lam_config_explain(). */
const struct lam_config_field *lam_runtime_config_table(void);

#ifdef __cplusplus
}
#endif

#endif
