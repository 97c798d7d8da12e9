/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_SEQUENCER_ENV_H
#define LAM_SEQUENCER_ENV_H

/*
 * env.h: every surprise that the sequencer can meet, behind one table: clock, random, disk, network
 * and wake-ups. Nothing else of the sequencer calls the system.
 *
 * Disk calls are started and complete later: a stage starts one, goes on, and finds it done after a
 * poll. Two calls that are in flight together may take effect in either order, so whoever needs an
 * order starts the second when the first is done. All names are single names in one folder, that of
 * the journal; it is what an env is made for.
 *
 * Addresses are "unix:PATH" and "tcp:HOST:PORT"; a host is in numbers, IPv6 in brackets, or
 * localhost. A network call is in flight for as long as it takes. Of one connection at most one
 * RECEIVE and one SEND are, of one listener one ACCEPT. Two envs may share a connection, one to
 * receive and one to send; it is closed by one of them when the other has no call in flight.
 *
 * An env is for one thread, but for lam_env_wake. There are two: env/linux.h, which calls the
 * system, and simulation/sim.h, where time, disk and failures come from one seed.
 */

#include <stdint.h>
#include <sys/types.h>

enum lam_env_call {
    LAM_ENV_OPEN,           /* @name, to read and write. Result: the file */
    LAM_ENV_CREATE,         /* @name, which must not exist. Result: the file */
    LAM_ENV_CLOSE,          /* @file; its calls in flight in this env end: -ECANCELED */
    LAM_ENV_LOCK,           /* @file, for this process alone until it is closed; or -EBUSY */
    LAM_ENV_SIZE,           /* @file. Result: bytes */
    LAM_ENV_ALLOCATE,       /* @file gets room for @count bytes, zeros; or -ENOSPC and nothing */
    LAM_ENV_READ,           /* @count at @offset into @bytes. Result: bytes, fewer at the end */
    LAM_ENV_WRITE,          /* @count at @offset from @bytes. Result: bytes, may be fewer */
    LAM_ENV_SYNC,           /* what was written to @file, and its size, will outlive a power cut */
    LAM_ENV_RENAME,         /* @name becomes @to, in one step; who had that name loses it */
    LAM_ENV_UNLINK,         /* @name */
    LAM_ENV_LIST,           /* names, each with a zero behind it, to @bytes. Result: bytes */
    LAM_ENV_SYNC_DIRECTORY, /* so will the names */
    LAM_ENV_LISTEN,         /* at @name; -EADDRINUSE: somebody lives there. Result: a listener */
    LAM_ENV_ACCEPT,         /* of the listener @file; done when one comes. Result: a connection */
    LAM_ENV_CONNECT,        /* to the address @name. Result: a connection */
    LAM_ENV_RECEIVE,        /* 1 to @count bytes into @bytes when some are there; 0: the end */
    LAM_ENV_SEND,           /* 1 to @count bytes from @bytes when there is room. Result: bytes */
    LAM_ENV_SHUTDOWN,       /* no more is sent over @file; @count 1: nor received, in any env */
    LAM_ENV_CALLS
};

struct lam_env_io;

/* Calls that are done, in that order, for who has many in flight. Zeros: none. */
struct lam_env_done {
    struct lam_env_io *first, *last;
};

/* One call. The caller's, and the env's from start to done: so are @name, @to and @bytes. */
struct lam_env_io {
    enum lam_env_call call;
    int file;
    const char *name, *to;
    void *bytes;
    uint64_t count, offset;
    int64_t result; /* 0 or as above, or negative errno */
    int done;
    struct lam_env_done *tell; /* where it is put when it is done; NULL: nowhere */
    void *context;             /* the caller's alone */
    uint64_t due_ns;           /* this and the next are the env's */
    struct lam_env_io *next;
};

#define LAM_ENV_ADDRESS_BYTES 64

/* Who is at the other end of a connection, as the kernel says. */
struct lam_env_peer {
    uid_t uid; /* (uid_t)-1: not known, it came by tcp */
    pid_t pid; /* 0: likewise */
    /* "tcp:10.0.0.1:4000"; "unix:PATH" as it was listened at, cut where it is longer */
    char address[LAM_ENV_ADDRESS_BYTES];
};

struct lam_env;

struct lam_env_ops {
    /* Monotonic, never back. */
    uint64_t (*now_ns)(struct lam_env *env);
    /* 64 bits that nobody outside can guess (in simulation: from the seed). */
    uint64_t (*random)(struct lam_env *env);
    /* Never waits for another process; its completion is seen by a later poll only. */
    void (*start)(struct lam_env *env, struct lam_env_io *io);
    /* Sets done where it is so. Never waits. Returns how many became done. */
    unsigned (*poll)(struct lam_env *env);
    /* @io, a network call, ends by -ECANCELED, unless it has its result; a poll says which. */
    void (*cancel)(struct lam_env *env, struct lam_env_io *io);
    /* Of a connection; of a listener its own address and process. Returns 0 or -errno. */
    int (*peer)(struct lam_env *env, int file, struct lam_env_peer *peer);
    /* For runners: until a poll would find something, a wake, or the deadline. */
    void (*wait)(struct lam_env *env, uint64_t deadline_ns);
    /* Ends a wait, the present one or the next. Any thread. */
    void (*wake)(struct lam_env *env);
};

struct lam_env {
    const struct lam_env_ops *ops;
    /*
     * Negative errno once a write, a sync or a rename of the journal has failed, for the life of
     * the process: what the kernel holds of those files is not to be believed any more. A snapshot
     * that fails says nothing of them, and leaves this alone.
     */
    int poison;
};

/* Start @io as @call; its arguments are set. */
void lam_env_start(struct lam_env *env, struct lam_env_io *io, enum lam_env_call call);

/* The call from start to done, for code that may wait. Returns its result. */
int64_t lam_env_do(struct lam_env *env, struct lam_env_io *io, enum lam_env_call call);

/*
 * All of @count bytes, however many calls that takes. Returns 0 or negative errno; -EIO where a
 * read meets the end of the file, or a call does nothing.
 */
int lam_env_do_all(struct lam_env *env, enum lam_env_call call, int file, void *bytes,
    uint64_t count, uint64_t offset);

/* The next one that is done, or NULL. */
struct lam_env_io *lam_env_take(struct lam_env_done *done);

/* For an env: @io is done. */
void lam_env_tell(struct lam_env_io *io);

/* For messages: "write". Never NULL. */
const char *lam_env_call_text(enum lam_env_call call);

#endif
