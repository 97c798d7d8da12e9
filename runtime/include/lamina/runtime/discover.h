/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RUNTIME_DISCOVER_H
#define LAM_RUNTIME_DISCOVER_H

/*
 * lamina/runtime/discover.h: what comes into a directory is loaded, what changes is reloaded, what
 * goes is unloaded.
 *
 * Runtime, floor 6. A module is called what its file is called: NAME.so, or NAME-1.2.3.so, of which
 * the newest counts where there is no NAME.so; of several directories the first that has one. Names
 * that begin with a dot, that do not end with .so, or that have control characters are not looked
 * at. A file that is moved in counts at once; one that is written counts when it is closed, and
 * then debounce_ns long nothing more happens to it: so put a module in place by rename.
 *
 * It runs in a thread of its own. What cannot be loaded is told once (LAM_EVENT_DISCOVERY, and the
 * runtime's log), and tried again when its file changes; what lacks a dependency, when another
 * module comes. Only regular files are opened.
 */

#include "lamina/runtime/runtime.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LAM_DISCOVER_DIRECTORIES_MAX 16
#define LAM_DISCOVER_NAMES_MAX       4096 /* of files; more are not looked at */

struct lam_discovery; /* opaque */

/* Zero is the default of each. Everything that @module points to is the caller's, and has to live
 * until the end; the rest is copied. */
struct lam_discover_options {
    const char *directories;          /* "/a:/b"; required */
    uint64_t debounce_ns;             /* default 100 ms */
    uint32_t loads;                   /* 1: what is new is loaded */
    uint32_t reloads;                 /* 1: what changes is reloaded, if it was loaded here */
    uint32_t unloads;                 /* 1: what goes is unloaded, if it was loaded here */
    uint32_t keeps_state;             /* 1: a reload hands the state over */
    struct lam_module_options module; /* of those that are loaded; its name has to be NULL */
};

struct lam_discover_stat {
    uint32_t names;   /* that are known now */
    uint32_t modules; /* that were loaded here, and are */
    uint64_t loads, reloads, unloads, failures;
    uint64_t scans; /* of the directories: the first, and one for each time that events were lost */
};

/*
 * Load what is in the directories now (failures are told, not returned), then watch them. Ended by
 * lam_discover_stop() or with the runtime. Any thread that is not told of an event.
 *
 * Returns 0 and sets *@discovery, or (@error says why)
 *   -EINVAL  no directories, too many, or a name for all modules
 *   -ENOENT, -ENOTDIR, -EACCES, -errno  of a directory
 *   -EMFILE, -ENOSPC  this user may not watch any more
 *   -ENOMEM
 */
int lam_discover_start(struct lam_runtime *runtime, const struct lam_discover_options *options,
    struct lam_discovery **discovery, struct lam_error *error);

/* Modules stay as they are. Waits for the load that runs. Any thread that is not told of an event.
 */
void lam_discover_stop(struct lam_discovery *discovery);

/* Any thread. */
void lam_discover_look(struct lam_discovery *discovery, struct lam_discover_stat *stat);

#ifdef __cplusplus
}
#endif

#endif
