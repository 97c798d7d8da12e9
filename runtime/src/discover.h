/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_RUNTIME_SRC_DISCOVER_H
#define LAM_RUNTIME_SRC_DISCOVER_H

/*
 * discover.h: the names of a directory, and what is to be done about each.
 *
 * All of it is the discovery's thread's, but for the counters, which are under a lock.
 */

#include <pthread.h>
#include <sys/types.h>

#include "internal.h"
#include "lamina/runtime/discover.h"
#include "linux/watch.h"

/* By which a file that is another, or was written again, is known. */
struct discover_file {
    uint64_t device, inode, bytes, changed_ns;
};

/* One name: of files, and of the module that comes of them. */
struct discover_name {
    char name[LAM_NAME_BYTES_MAX];
    uint64_t due_ns;           /* LAM_DEADLINE_NEVER: nothing is to be done */
    uint64_t since_ns;         /* when it first was */
    uint32_t has_versions;     /* a NAME-1.2.3.so has been seen */
    uint32_t is_forced;        /* something was written: it is another, whatever it looks like */
    uint32_t waits;            /* for another module to come or go */
    struct lam_module *module; /* that was loaded here, or NULL */
    struct discover_file loaded, failed; /* all zero: none */
};

struct lam_discovery {
    struct lam_runtime *runtime;
    struct lam_discover_options options;
    struct lam_discovery *next; /* of the runtime's */
    struct watch watch;
    char *text; /* of the directories */
    const char *directories[LAM_DISCOVER_DIRECTORIES_MAX];
    uint32_t directory_count;
    pthread_t thread;
    uint32_t must_scan;
    uint32_t is_full; /* told that there are too many names */
    uint32_t count;
    struct discover_name *names;
    pthread_mutex_t lock;
    struct lam_discover_stat stat;
};

/* Which name @file belongs to. Returns 0 none, 1, or 2: it has a version. */
int lam_discover_parse(const char *file, char name[LAM_NAME_BYTES_MAX]);

/* Do what is to be done about @name. Returns 1 a module has come or gone, 0. */
int lam_discover_apply(struct lam_discovery *discovery, struct discover_name *name);

/* Something is wrong with @name. */
void lam_discover_tell(struct lam_discovery *discovery, const char *name, int rc, const char *text);

/* All that the runtime has, before it ends. */
void lam_discover_end(struct lam_runtime *runtime);

#endif
