/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_TOPOLOGY_PLAN_H
#define LAM_TOPOLOGY_PLAN_H

/*
 * lamina/topology/plan.h: a topology's file, read and resolved, before anything is started.
 *
 * Topology, floor 5. For tools and supervisors; a role's process uses lamina/topology/topology.h.
 * A plan is data: reading one creates no ring and starts no process.
 *
 * All text belongs to the plan and lives until lam_plan_destroy(). One thread at a time.
 */

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "lamina/base/error.h"
#include "lamina/topology/topology.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LAM_PLAN_ARGUMENTS_MAX 63
#define LAM_PLAN_CPUS_MAX      64
#define LAM_MACHINE_CPUS_MAX   1024
#define LAM_MACHINE_NODES_MAX  64

struct lam_config_field;

enum lam_plan_policy {
    LAM_PLAN_STOP,   /* a death ends the topology */
    LAM_PLAN_RESTART /* a death is followed by a new start, up to a limit */
};

struct lam_plan_parameter {
    const char *key;
    const char *value;
    int is_set; /* by --set, not by the file */
};

struct lam_plan_role {
    const char *name;
    uint32_t count;
    uint32_t first_instance; /* of this role, in the numbering of all processes */
    int is_main;             /* its end, with code 0, is the end of the topology */
    enum lam_plan_policy policy;
    uint32_t restart_limit;      /* for each instance */
    uint64_t restart_backoff_ns; /* before the first restart; doubles with each */
    uint32_t argument_count;     /* 0: nobody starts it, it joins by lam_topology_open() */
    uint32_t cpu_count;          /* 0: any */
    uint32_t cpus[LAM_PLAN_CPUS_MAX];
    int node; /* its processes run on the CPUs of this memory node; -1: any */
    const char *arguments[LAM_PLAN_ARGUMENTS_MAX + 1]; /* ended by NULL */
};

/* What the rings of an edge say of their type. All zeros: nothing. */
struct lam_plan_type {
    uint64_t hash;
    const char *text;
    uint32_t text_bytes;
    char *answer; /* private: the memory of text */
};

struct lam_plan {
    const char *name;
    uint64_t grace_ns; /* between SIGTERM and SIGKILL, and for the others after main has ended */
    uint32_t parameter_count;
    uint32_t role_count;
    uint32_t edge_count;
    uint32_t instance_count; /* processes of all roles */
    uint32_t core_count;     /* that the plan was made for */
    struct lam_plan_parameter parameters[LAM_TOPOLOGY_PARAMETERS_MAX];
    struct lam_plan_role roles[LAM_TOPOLOGY_ROLES_MAX];
    struct lam_topology_edge edges[LAM_TOPOLOGY_EDGES_MAX];
    struct lam_plan_type types[LAM_TOPOLOGY_EDGES_MAX]; /* of edges, once resolved */
    struct lam_config *config; /* private: the file, for messages that point into it */
};

/* What a plan is made for. lam_machine_here() asks the kernel; tests fill it in. */
struct lam_machine {
    uint32_t core_count;                      /* that this process may use */
    uint64_t cpus[LAM_MACHINE_CPUS_MAX / 64]; /* bit N: CPU N may be used */
    uint64_t nodes;                           /* bit N: there is a memory node N */
    uint64_t node_cpus[LAM_MACHINE_NODES_MAX][LAM_MACHINE_CPUS_MAX / 64];
    uint64_t shm_free_bytes;      /* of /dev/shm; UINT64_MAX: do not check */
    const char *path;             /* PATH, to find commands; NULL: do not look for them */
    char program_directory[1024]; /* of the running program: searched before PATH */
};

/* The machine and the process that we run on: cores by affinity, free shared memory, PATH. Returns
 * 0 or -errno. */
int lam_machine_here(struct lam_machine *machine, struct lam_error *error);

/* A machine on which every plan is possible, with 2 cores: to read plans for what they say. */
void lam_machine_any(struct lam_machine *machine);

/* The table of the file's keys, for lam_config_explain(). */
const struct lam_config_field *lam_plan_table(void);

/*
 * Read the file at @path, apply @sets (each "ROLE.KEY=V", "EDGE.KEY=V", "PARAMETER=V" or a full
 * "roles.ROLE.KEY=V"), check it against itself and against @machine, and resolve what it leaves
 * open.
 *
 * *@report is set to NULL, or on failure to text of the caller's to print and free(): all problems
 * with file, line and column. Returns 0 and sets *@plan, or
 *   -EINVAL  the file or a setting is wrong
 *   -ENOMEM, or what reading the file returned
 */
int lam_plan_read(struct lam_plan **plan, const char *path, const char *const *sets,
    size_t set_count, const struct lam_machine *machine, char **report);

/* The same from @bytes of @text, called @name in messages. */
int lam_plan_read_text(struct lam_plan **plan, const char *name, const char *text, size_t bytes,
    const struct lam_machine *machine, char **report);

/*
 * Put the types of edges that name a schema into words and hashes, by asking lamina-schema, which
 * is looked for as commands are. Rings made without this carry no type.
 *
 * Returns 0, or -EINVAL and in *@report what lam_plan_read() would put there. What lamina-schema
 * has to say goes to standard error.
 */
int lam_plan_resolve_types(struct lam_plan *plan, const struct lam_machine *machine, char **report);

/* Free the plan. NULL is allowed. */
void lam_plan_destroy(struct lam_plan *plan);

/* Write the plan as a file of its own grammar with everything resolved: reading it gives the same
 * plan. Returns 0 or -EIO. */
int lam_plan_dump(const struct lam_plan *plan, FILE *out);

/* The role or edge called @name, or NULL. */
const struct lam_plan_role *lam_plan_role(const struct lam_plan *plan, const char *name);
const struct lam_topology_edge *lam_plan_edge(const struct lam_plan *plan, const char *name);

/* Role and index of process @instance of all. */
const struct lam_plan_role *lam_plan_instance(
    const struct lam_plan *plan, uint32_t instance, uint32_t *index);

/* "workers.2", or "scheduler" for the only one of its role. */
void lam_plan_end_name(
    const struct lam_plan_role *role, uint32_t index, char name[LAM_TOPOLOGY_RING_NAME_BYTES]);

/* "TOPOLOGY.EDGE" or "TOPOLOGY.EDGE.INDEX". */
void lam_plan_ring_name(const struct lam_plan *plan, const struct lam_topology_edge *edge,
    uint32_t index, char name[LAM_TOPOLOGY_RING_NAME_BYTES]);

/* Shared memory that one ring of @edge takes, both objects; of all rings of the plan. */
uint64_t lam_plan_ring_bytes(const struct lam_plan *plan, const struct lam_topology_edge *edge);
uint64_t lam_plan_bytes(const struct lam_plan *plan);

/* The largest message that one event of @edge carries; larger ones travel in frames. */
uint64_t lam_plan_event_bytes_max(const struct lam_topology_edge *edge);

/*
 * Find the program that @command names: a path with '/' is relative to the folder of the
 * topology's file; a bare name is looked for beside the running program, then on PATH.
 *
 * Writes @bytes at most into @path. Returns 0, or -ENOENT or -ENAMETOOLONG.
 */
int lam_plan_find_program(const struct lam_plan *plan, const char *command,
    const struct lam_machine *machine, char *path, size_t bytes);

/* Folder of the topology's file, "." where it has none. */
void lam_plan_directory(const struct lam_plan *plan, char *path, size_t bytes);

#ifdef __cplusplus
}
#endif

#endif
