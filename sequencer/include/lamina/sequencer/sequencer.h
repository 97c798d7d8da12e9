/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_SEQUENCER_SEQUENCER_H
#define LAM_SEQUENCER_SEQUENCER_H

/*
 * lamina/sequencer/sequencer.h: a node: one application, one journal, its clients.
 *
 * Floor 6. Each request gets its place in one order, is journaled and applied, and is answered
 * when the journal has it on disk. After any crash the next process makes the same state again.
 */

#include <stdint.h>

#include "lamina/base/error.h"
#include "lamina/sequencer/app.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LAM_SEQUENCER_LISTEN_MAX 8

enum lam_sequencer_waiting {
    LAM_SEQUENCER_BLOCK = 0, /* a stage without work sleeps: nothing to do costs nothing */
    LAM_SEQUENCER_SPIN = 1,  /* it never sleeps: a core for each */
};

/* What an answer waits for. More with replication. */
enum lam_sequencer_policy {
    LAM_SEQUENCER_DISK = 0, /* the event is on this node's disk */
    LAM_SEQUENCER_NONE = 1, /* nothing: what was acknowledged may be lost with the machine */
};

enum lam_sequencer_disk {
    LAM_SEQUENCER_DISK_AUTO = 0, /* io_uring where the kernel allows it, else plain calls */
    LAM_SEQUENCER_DISK_PLAIN = 1,
    LAM_SEQUENCER_DISK_URING = 2, /* or -ENOTSUP */
};

/* What becomes of a segment of the journal that lies wholly below the older of two snapshots. */
enum lam_sequencer_retain {
    LAM_SEQUENCER_KEEP = 0,    /* it stays: all of history can be replayed */
    LAM_SEQUENCER_ARCHIVE = 1, /* it is renamed to archive-N, for somebody to take it away */
    LAM_SEQUENCER_REMOVE = 2,
};

/* Zeros mean the default. Strings are kept by the caller until the node has ended. */
struct lam_sequencer_config {
    const char *directory; /* of the journal; made where it is not there, 0700. Required */
    /* "unix:PATH", "tcp:HOST:PORT", "shm:NAME" (an endpoint of layer 1). At least one */
    const char *listen[LAM_SEQUENCER_LISTEN_MAX];
    enum lam_sequencer_waiting waiting;
    enum lam_sequencer_policy policy;
    enum lam_sequencer_disk disk;
    enum lam_sequencer_retain retain;
    uint64_t segment_bytes;   /* default 64 MiB */
    uint64_t reserve_bytes;   /* of the last one, kept when the disk is full; default a quarter */
    uint32_t batch_bytes;     /* of the largest batch; default 256 KiB */
    uint32_t input_cells;     /* of 64 bytes; a power of two; default 65536 */
    uint32_t output_cells;    /* likewise */
    uint32_t sessions_max;    /* default 1024 */
    uint32_t connections_max; /* default 1024 */
    uint32_t window;          /* requests of a session without an answer; default 64 */
    uint64_t reply_bytes;     /* kept for a session; default window x reply_bytes_max */
    uint64_t tick_ns;         /* default 250 ms; UINT64_MAX: no ticks */
    uint64_t digest_events;   /* a digest is compared each so many; default 1 << 20 */
    uint64_t snapshot_events; /* a snapshot each so many; 0: none but when asked for */
    uint64_t heartbeat_ns;    /* default 10 s; a client silent for three is cut */
    const char *keys; /* file of public keys and their roles; NULL: whom the socket lets in */
    uint32_t threads; /* 1 to 5; default: as many as the process has CPUs */
    /*
     * Where the threads stay: by their first stage, of reader, journal, application, response,
     * publisher, shadow. -1: anywhere. NULL: all of them
     */
    const int *cpus;
    uint32_t cpu_count;
    int lock_memory;
};

struct lam_sequencer;

/*
 * Recover what @config's directory has, or begin there, and start to serve. Waits for the disk.
 *
 * Returns 0 and the node, which is the caller's, or -EINVAL, -EBUSY, -EBADMSG, -EILSEQ, -errno as
 * journal and machine say; @error says where and what to do. Nothing is running then.
 */
int lam_sequencer_start(struct lam_sequencer **sequencer, const struct lam_sequencer_config *config,
    const struct lam_app *app, struct lam_error *error);

/* Ask it to end in order: what was sequenced is journaled and answered. Async-signal-safe. */
void lam_sequencer_stop(struct lam_sequencer *sequencer);

/*
 * Wait for its end, and free it. Returns 0 after a stop, or the negative errno that it failed with:
 * -ENOTRECOVERABLE the disk, -EILSEQ copies differ, -ENOSPC, -errno.
 */
int lam_sequencer_join(struct lam_sequencer *sequencer, struct lam_error *error);

/*
 * All of it for a main: starts, says on standard error where it listens, ends in order by SIGTERM
 * or SIGINT, at once by a second one. Returns an exit status: 0; 1 it did not start; 3 it failed
 * while it ran, and what was answered is on disk.
 */
int lam_sequencer_run(const struct lam_sequencer_config *config, const struct lam_app *app);

#ifdef __cplusplus
}
#endif

#endif
