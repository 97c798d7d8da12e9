/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keys of sequencer.yaml. What the table says is what is accepted, what is explained, and where
 * it goes. No row has a default: a field that the file does not name stays 0, which is its default.
 */
#include "file.h"

#include "lamina/base/clock.h"

#include <stddef.h>

#define INTO(member)                                                                               \
    .offset = offsetof(struct lam_sequencer_config, member),                                       \
    .bytes = sizeof(((struct lam_sequencer_config *)0)->member)

#define HOUR (3600 * LAM_NS_PER_S)

/* By enum lam_sequencer_waiting, _policy, _disk and _retain. */
static const char *const waitings[] = {"block", "spin", NULL};
static const char *const policies[] = {"disk", "none", NULL};
static const char *const disks[] = {"auto", "plain", "io_uring", NULL};
static const char *const retains[] = {"keep", "archive", "remove", NULL};
static const char *const never[] = {"never", NULL};

static const struct lam_config_field address_item = {.key = "address",
    .kind = LAM_CONFIG_TEXT,
    .doc = "unix:PATH, tcp:HOST:PORT or shm:NAME",
    .min = 6,
    .max = 200};

static const struct lam_config_field cpu_item = {
    .key = "cpu", .kind = LAM_CONFIG_NUMBER, .doc = "the number of a CPU", .max = 4095};

static const struct lam_config_field fields[] = {
    {.key = "directory",
        .kind = LAM_CONFIG_TEXT,
        .flags = LAM_CONFIG_REQUIRED | FILE_PATH,
        .doc = "of the journal and its snapshots; made where it is not there",
        .min = 1,
        .max = 4000,
        INTO(directory)},
    {.key = "listen",
        .kind = LAM_CONFIG_LIST,
        .flags = LAM_CONFIG_REQUIRED,
        .doc = "where clients find it",
        .min = 1,
        .max = LAM_SEQUENCER_LISTEN_MAX,
        .fields = &address_item},
    {.key = "waiting",
        .kind = LAM_CONFIG_WORD,
        .doc = "block: what has nothing to do sleeps; spin: a core for each stage; default block",
        .words = waitings,
        INTO(waiting)},
    {.key = "policy",
        .kind = LAM_CONFIG_WORD,
        .doc = "what an answer waits for: disk, or none; default disk",
        .words = policies,
        INTO(policy)},
    {.key = "disk",
        .kind = LAM_CONFIG_WORD,
        .doc = "how it writes; auto: io_uring where there is one; default auto",
        .words = disks,
        INTO(disk)},
    {.key = "retain",
        .kind = LAM_CONFIG_WORD,
        .doc =
            "what becomes of segments that neither of the two last snapshots needs; default keep",
        .words = retains,
        INTO(retain)},
    {.key = "segment",
        .kind = LAM_CONFIG_BYTES,
        .doc = "of a file of the journal; for the life of the journal; default 64MiB",
        .min = 65536,
        .max = UINT64_C(1) << 32,
        INTO(segment_bytes)},
    {.key = "reserve",
        .kind = LAM_CONFIG_BYTES,
        .doc = "room that must be left on the disk, else events are refused; default a segment",
        .min = 4096,
        .max = UINT64_C(1) << 40,
        INTO(reserve_bytes)},
    {.key = "batch",
        .kind = LAM_CONFIG_BYTES,
        .doc = "of the largest write; default 256KiB",
        .min = 4096,
        .max = 64 << 20,
        INTO(batch_bytes)},
    {.key = "input_cells",
        .kind = LAM_CONFIG_NUMBER,
        .flags = LAM_CONFIG_POWER_OF_TWO,
        .doc = "of 64 bytes, for events on their way in; default 65536",
        .min = 64,
        .max = 1 << 26,
        INTO(input_cells)},
    {.key = "output_cells",
        .kind = LAM_CONFIG_NUMBER,
        .flags = LAM_CONFIG_POWER_OF_TWO,
        .doc = "of 64 bytes, for answers on their way out; default 65536",
        .min = 64,
        .max = 1 << 26,
        INTO(output_cells)},
    {.key = "sessions",
        .kind = LAM_CONFIG_NUMBER,
        .doc = "at most; part of the state, the same on every copy; default 1024",
        .min = 1,
        .max = 1 << 20,
        INTO(sessions_max)},
    {.key = "connections",
        .kind = LAM_CONFIG_NUMBER,
        .doc = "at most; default 1024",
        .min = 1,
        .max = 1 << 20,
        INTO(connections_max)},
    {.key = "window",
        .kind = LAM_CONFIG_NUMBER,
        .flags = LAM_CONFIG_POWER_OF_TWO,
        .doc = "requests of a session without an answer; part of the state; default 64",
        .min = 1,
        .max = 65536,
        INTO(window)},
    {.key = "replies",
        .kind = LAM_CONFIG_BYTES,
        .doc = "kept for a session; part of the state; default what its window may need",
        .min = 1,
        .max = UINT64_C(1) << 32,
        INTO(reply_bytes)},
    {.key = "tick",
        .kind = LAM_CONFIG_DURATION,
        .doc = "how often the application is told the time; default 250ms",
        .words = never,
        .min = 1000,
        .max = HOUR,
        INTO(tick_ns)},
    {.key = "digest_events",
        .kind = LAM_CONFIG_NUMBER,
        .doc = "copies are compared each so many events; default 1048576",
        .min = 1,
        INTO(digest_events)},
    {.key = "snapshot_events",
        .kind = LAM_CONFIG_NUMBER,
        .doc = "a snapshot is made each so many events; default none",
        .min = 1,
        INTO(snapshot_events)},
    {.key = "heartbeat",
        .kind = LAM_CONFIG_DURATION,
        .doc = "a client that is silent for three of them is cut; default 10s",
        .min = 1000000,
        .max = HOUR,
        INTO(heartbeat_ns)},
    {.key = "keys",
        .kind = LAM_CONFIG_TEXT,
        .flags = FILE_PATH,
        .doc = "a file of public keys and their roles; default: whom the socket lets in",
        .min = 1,
        .max = 4000,
        INTO(keys)},
    {.key = "threads",
        .kind = LAM_CONFIG_NUMBER,
        .doc = "that the stages share; default as many as there are CPUs, at most 5",
        .min = 1,
        .max = 5,
        INTO(threads)},
    {.key = "cpus",
        .kind = LAM_CONFIG_LIST,
        .doc = "where threads stay, by their first stage: reader, journal, application, response, "
               "publisher, shadow",
        .min = 1,
        .max = FILE_CPUS_MAX,
        .fields = &cpu_item},
    {.key = "lock_memory",
        .kind = LAM_CONFIG_FLAG,
        .doc = "true: nothing of it is ever swapped out",
        INTO(lock_memory)},
    {0}};

const struct lam_config_field file_root = {
    .key = "sequencer", .kind = LAM_CONFIG_RECORD, .doc = "one node", .fields = fields};

const struct lam_config_field *lam_sequencer_file_table(void)
{
    return &file_root;
}
