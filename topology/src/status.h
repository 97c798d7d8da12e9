/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_TOPOLOGY_STATUS_H
#define LAM_TOPOLOGY_STATUS_H

/*
 * status.h: the page that `lamina up` and its roles share, /dev/shm/lamina.NAME.topology.
 *
 * It holds the resolved plan, as text of the file's own grammar, and a row for each process. Rings
 * tell how far messages are; this page tells what rings cannot: who was started, who is ready, how
 * somebody died. `up` holds the lock on byte 0 as long as it lives.
 *
 * Each atomic word has one writer, `up` or the process of that row; none of them orders anything
 * else, except `ready_starts`, whose release covers the attachments made before it. Roles can write
 * the whole page: `up` reads nothing back from it but the words of their rows.
 */

#include "lamina/base/atomic.h"
#include "lamina/base/error.h"
#include "lamina/base/segment.h"
#include "lamina/topology/plan.h"

#define STATUS_MAGIC      UINT64_C(0x796c6f706f744d4c) /* "LMtopoly" */
#define STATUS_VERSION    1
#define STATUS_PLAN_BYTES 65536
#define STATUS_FLAG_JSON  1u

enum status_run { STATUS_ABSENT = 0, STATUS_RUNNING = 1, STATUS_ENDED = 2, STATUS_DIED = 3 };

struct status_instance {
    lam_atomic_u32 run;          /* enum status_run; by up, or by a process that joined by itself */
    lam_atomic_u32 starts;       /* likewise */
    lam_atomic_u32 pid;          /* likewise */
    lam_atomic_u32 cause;        /* likewise: exit code, or minus the signal */
    lam_atomic_u64 started_ns;   /* likewise, monotonic */
    lam_atomic_u32 ready_starts; /* by the process: the start that is ready */
    uint32_t unused;
    lam_atomic_u64 step; /* by the process */
    uint64_t unused_too[11];
};

struct status_page {
    uint64_t magic;
    uint32_t version;
    uint32_t page_bytes; /* sizeof(struct status_page) */
    uint32_t instance_count;
    uint32_t core_count; /* that the plan was made for */
    uint32_t flags;
    uint32_t plan_bytes;
    uint64_t set_parameters; /* bit I: parameter I came from --set */
    uint64_t started_ns;
    uint32_t up_pid;
    lam_atomic_u32 stopping;
    uint64_t unused[121];
    char file_directory[1024];
    char start_directory[1024];
    uint8_t unused_too[1024];
    struct status_instance instances[LAM_TOPOLOGY_INSTANCES_MAX];
    char plan[STATUS_PLAN_BYTES];
};

LAM_STATIC_ASSERT(sizeof(struct status_instance) == LAM_HOT_BYTES, "a row has its own lines");
LAM_STATIC_ASSERT(offsetof(struct status_page, instances) == 4096, "rows start on a page");

struct status {
    struct lam_segment segment;
    struct status_page *page;
};

/* "lamina.NAME.topology" */
void status_name(const char *topology, char name[LAM_TOPOLOGY_RING_NAME_BYTES]);

/*
 * Make the page for @plan, filled but without its name: appear with lam_segment_appear().
 * 0, -E2BIG (the plan's text is too long), or what lam_segment_create() returns.
 */
int status_create(
    struct status *status, const struct lam_plan *plan, uint32_t flags, struct lam_error *error);

/* Map the page of the topology called @topology and check it. 0, -ENOENT, -EPROTO, -errno. */
int status_attach(
    struct status *status, const char *topology, enum lam_access access, struct lam_error *error);

/* The plan that @status carries. 0, -EPROTO, -ENOMEM. */
int status_plan(const struct status *status, struct lam_plan **plan, struct lam_error *error);

/* What row @instance says. Any thread. */
void status_read(const struct status *status, uint32_t instance, struct lam_topology_peer *peer);

void status_close(struct status *status);

#endif
