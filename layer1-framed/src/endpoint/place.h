/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_ENDPOINT_PLACE_H
#define LAM_ENDPOINT_PLACE_H

/*
 * place.h: the names of an endpoint: its socket, and the file whose lock a living daemon holds.
 *
 * The lock decides who is the daemon; the socket is put into its place by one rename, so that it is
 * there and listens, or is not there. What is no socket is never removed, nor one that somebody
 * listens at, unless the lock's file says that it was its last holder's: who is dead, and a forked
 * child that has it open hears nobody.
 */

#include <sys/un.h>

#include "lamina/framed/daemon.h"

#define PLACE_FILE_BYTES (LAM_ENDPOINT_NAME_MAX + 12) /* ".NAME.sock.new" */

/* What NAME.lock and NAME.sock are called: @name and @suffix. */
void lam_endpoint_file(char file[PLACE_FILE_BYTES], const char *name, const char *suffix);

/* place_lock.c */

/*
 * Take the lock of @place, whose directory and name are set. While its holder is proven dead, and a
 * child that it has just forked has not closed its copy yet, waits up to LAM_DAEMON_TAKEOVER_NS.
 * Returns 0 and left_inode, or as lam_daemon_create().
 */
int lam_endpoint_lock_take(struct lam_endpoint_place *place, struct lam_error *error);
/*
 * Say why @file of @place could not be made (@bytes is 0), or be given @bytes: @code, and where the
 * store is full, where and how full it is. Returns @code.
 */
int lam_endpoint_refuse_file(const struct lam_endpoint_place *place, const char *file,
    uint64_t bytes, int code, struct lam_error *error);
/* Our socket is the endpoint's now. A record that fails costs a successor a child of ours. */
void lam_endpoint_lock_remember(const struct lam_endpoint_place *place);

/* place.c */

/* Returns 0, or -EINVAL, -EBUSY, -EEXIST, -errno: see lam_daemon_create(). */
int lam_endpoint_place_take(struct lam_endpoint_place *place,
    const struct lam_daemon_options *options, struct lam_error *error);

/* Nothing taken: what giving back leaves. */
void lam_endpoint_place_clear(struct lam_endpoint_place *place);

/* Take no more callers: close the listener and remove its name, if it is still ours. */
void lam_endpoint_place_hide(struct lam_endpoint_place *place);

/* Hide it, and let go of the lock. In a forked child: closes, and removes nothing. */
void lam_endpoint_place_give_back(struct lam_endpoint_place *place);

/* place_call.c */

/* Of @file in a directory: a socket's path is short, so that comes in by its descriptor. */
struct sockaddr_un lam_endpoint_address(int directory_fd, const char *file);
/* Returns 0, or -EINVAL: no endpoint has such a name. */
int lam_endpoint_check_name(const char *name, struct lam_error *error);
/*
 * Open the directory @given (NULL: the one of endpoints), whose name goes to @path; with @make a
 * daemon makes it, one level, for its own user. Returns its descriptor, or -errno.
 */
int lam_endpoint_open_directory(
    const char *given, int make, char path[LAM_ENDPOINT_PATH_MAX + 1], struct lam_error *error);
/* Whether anybody listens at the socket @file. Returns 1, 0, or -errno: it cannot be asked. */
int lam_endpoint_is_live(int directory_fd, const char *file);
/*
 * Connect to the socket of the endpoint @name in @directory (NULL: the one of endpoints).
 *
 * Returns its descriptor, or -ENOENT, -ECONNREFUSED nobody listens, -EAGAIN as many wait there as
 * may, -EINVAL, -errno.
 */
int lam_endpoint_call(const char *name, const char *directory, struct lam_error *error);

#endif
