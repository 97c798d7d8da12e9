/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_TOPOLOGY_TOPOLOGY_H
#define LAM_TOPOLOGY_TOPOLOGY_H

/*
 * lamina/topology/topology.h: what a role's process asks of the topology that it is part of.
 *
 * Topology, floor 5. A topology is wired by one YAML file: roles (processes) and edges (channels
 * between them). `lamina up FILE` creates every ring, starts every process and watches them; a
 * process opens the topology with lam_topology_open(), learns its parameters, the names of its
 * rings and its peers, and attaches to the rings with the layer of its choice.
 *
 * The ring of an edge is TOPOLOGY.EDGE, or TOPOLOGY.EDGE.INDEX where an edge has one for each
 * worker. It exists before any role starts and is removed by `lamina up` after the last has ended:
 * a role attaches and detaches, it never creates or removes.
 *
 * This part never sends a message and never waits on a ring: the small status page that it shares
 * with `lamina up` says who is ready, at which step, and who died.
 *
 * Text that is returned belongs to the topology and is valid until lam_topology_close(). One thread
 * at a time, except where a function says otherwise.
 */

#include <stddef.h>
#include <stdint.h>

#include "lamina/base/error.h"
#include "lamina/base/wait.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LAM_TOPOLOGY_NAME_BYTES      32 /* a topology's, role's or edge's name, with its zero */
#define LAM_TOPOLOGY_RING_NAME_BYTES 80 /* TOPOLOGY.EDGE.INDEX, with its zero */
#define LAM_TOPOLOGY_ROLES_MAX       32
#define LAM_TOPOLOGY_EDGES_MAX       64
#define LAM_TOPOLOGY_PARAMETERS_MAX  64
#define LAM_TOPOLOGY_INSTANCES_MAX   256 /* processes, all roles together */

struct lam_topology; /* opaque */

enum lam_topology_direction {
    LAM_TOPOLOGY_BROADCAST,  /* one ring: every instance of `to` reads all of it */
    LAM_TOPOLOGY_PER_WORKER, /* a ring for each instance of `to`, written by the one `from` */
    LAM_TOPOLOGY_FAN_IN      /* a ring for each instance of `from`, read by the one `to` */
};

/* How an edge turned out: what the file says, with all defaults and `hybrid` resolved. */
struct lam_topology_edge {
    const char *name;
    const char *type;   /* full name, "" where the file gives none */
    const char *schema; /* file that declares it, "" where rings carry no type */
    const char *codec;  /* "flatbuffers" or "msgpack" */
    const char *from;   /* role that produces */
    const char *to;     /* role that consumes */
    enum lam_topology_direction direction;
    enum lam_wait_mode asked; /* by the file */
    enum lam_wait_mode wait;  /* for attach: FUTEX for HYBRID where ends exceed cores */
    uint32_t ring_count;      /* 1 for broadcast */
    uint32_t consumer_count;  /* of each ring */
    uint64_t depth;           /* cells of each ring */
    uint32_t cell_bytes;
    uint64_t message_bytes; /* the largest message that roles may send */
    int node;               /* memory node that its rings were asked for; -1: any */
};

enum lam_topology_state {
    LAM_TOPOLOGY_ABSENT,   /* not started yet */
    LAM_TOPOLOGY_STARTING, /* its process runs; lam_topology_ready() was not called */
    LAM_TOPOLOGY_READY,
    LAM_TOPOLOGY_ENDED, /* exited with code 0 */
    LAM_TOPOLOGY_DIED   /* any other exit, or a signal; may start again if the policy says so */
};

/* What is known of one instance of a role. */
struct lam_topology_peer {
    enum lam_topology_state state;
    uint32_t starts; /* 1 for the first process, one more for each restart */
    int32_t pid;     /* of the latest process, 0 before there was one */
    int32_t cause;   /* how the latest death came: exit code, or minus the signal */
    uint64_t step;   /* latest lam_topology_progress() */
};

/*
 * Join the topology that `lamina up` runs.
 *
 * In a process that `lamina up` started, @file and @role are NULL and @index is 0: the environment
 * says which topology, role and index this is. Another process gives the topology's file (or its
 * bare name), the role that it plays and its index; the plan of the running topology is used, with
 * the settings that `up` was given.
 *
 * Blocks only as opening a file does. Returns 0 and sets *@topology, or
 *   -EINVAL   no file was given and this process was not started by `lamina up`; the role is
 *             unknown or the index too large; the file is wrong (the text says where)
 *   -ENOENT   no topology of this name is up
 *   -EPROTO   the status page makes no sense
 *   -ENOMEM, or what open() and mmap() return
 */
int lam_topology_open(struct lam_topology **topology, const char *file, const char *role,
    uint32_t index, struct lam_error *error);

/* Leave the topology and free all that it lent. NULL is allowed. */
void lam_topology_close(struct lam_topology *topology);

/* The topology's name, this process' role, its index and its name as an end: "workers.2", or the
 * role alone where there is one instance. Consumers register under this name. */
const char *lam_topology_name(const struct lam_topology *topology);
const char *lam_topology_role(const struct lam_topology *topology);
uint32_t lam_topology_index(const struct lam_topology *topology);
const char *lam_topology_end_name(const struct lam_topology *topology);

/* Number of instances of @role; 0 where there is no such role. */
uint32_t lam_topology_count(const struct lam_topology *topology, const char *role);

/* Value of the parameter @key, as the file or `--set` gave it; NULL where the file has none. */
const char *lam_topology_parameter(const struct lam_topology *topology, const char *key);

/*
 * The parameter @key as a path: what the file gave is relative to the file's folder, what `--set`
 * gave to the folder in which `lamina up` was started. "-" and absolute paths stay as they are.
 *
 * Returns NULL where the file has no such parameter.
 */
const char *lam_topology_parameter_path(const struct lam_topology *topology, const char *key);

/* 1 if `lamina up --json`: standard output is for the one object that the main role prints. */
int lam_topology_json(const struct lam_topology *topology);

/* Number of edges, and the edge at @index: for tables of all. */
uint32_t lam_topology_edge_count(const struct lam_topology *topology);
const struct lam_topology_edge *lam_topology_edge_at(
    const struct lam_topology *topology, uint32_t index);

/* The edge @name, or NULL. */
const struct lam_topology_edge *lam_topology_edge(
    const struct lam_topology *topology, const char *name);

/*
 * Name of ring @index of the edge @edge, for the attach call of any layer: "inference.replies.2".
 * A worker's own ring of a per-worker or fan-in edge has the worker's index.
 *
 * Writes at most LAM_TOPOLOGY_RING_NAME_BYTES into @name. Returns 0, or
 *   -ENOENT  there is no such edge
 *   -EINVAL  @index is not below the edge's ring_count
 */
int lam_topology_ring_name(const struct lam_topology *topology, const char *edge, uint32_t index,
    char name[LAM_TOPOLOGY_RING_NAME_BYTES]);

/*
 * Tell everyone that this process has attached to its rings. A producer that waits for its
 * consumers to be ready loses no message to a late joiner. Wait-free.
 */
void lam_topology_ready(struct lam_topology *topology);

/*
 * Publish the step that this process is at, for the sentence that says where it died and for
 * `lamina stat`. One plain store: cheap enough for every message. Wait-free.
 */
void lam_topology_progress(struct lam_topology *topology, uint64_t step);

/* What is known of instance @index of @role. Returns 0 or -ENOENT. Wait-free, any thread. */
int lam_topology_peer(const struct lam_topology *topology, const char *role, uint32_t index,
    struct lam_topology_peer *peer);

/*
 * Wait until every instance of @role is ready. NULL: every instance of every other role.
 *
 * Sleeps in steps of a millisecond. @deadline_ns is absolute, of CLOCK_MONOTONIC. Returns 0, or
 *   -ETIMEDOUT  the text names who is missing
 *   -EOWNERDEAD one has ended already; one that died is waited for until it is started again
 *   -ECANCELED  the topology is stopping
 *   -ENOENT     there is no such role
 */
int lam_topology_wait_ready_until(
    struct lam_topology *topology, const char *role, uint64_t deadline_ns, struct lam_error *error);

/*
 * 1 once the topology is stopping (Ctrl-C, or the policy after a death): finish and exit. Everyone
 * is sent SIGTERM then, and SIGKILL after the grace. One load. Wait-free, any thread.
 */
int lam_topology_stopping(const struct lam_topology *topology);

#ifdef __cplusplus
}
#endif

#endif
