/* SPDX-License-Identifier: Apache-2.0 */
/* The socket of an endpoint: it appears by one rename, in the place of a dead one at most. */
#include "place.h"
#include "lamina/base/crash_point.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define LISTEN_MANY 64

/* The socket's first name. */
static void first_name(char file[PLACE_FILE_BYTES], const char *name)
{
    (void)snprintf(file, PLACE_FILE_BYTES, ".%s.sock.new", name);
}

static int bind_first_name(struct lam_endpoint_place *place,
    const struct lam_daemon_options *options, const char *file, struct lam_error *error)
{
    struct sockaddr_un address = lam_endpoint_address(place->directory_fd, file);
    struct stat status;

    /* What a daemon that died here left; a file that is none is in the way of bind. */
    if (fstatat(place->directory_fd, file, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
        S_ISSOCK(status.st_mode))
        (void)unlinkat(place->directory_fd, file, 0);
    place->listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (place->listener < 0 ||
        bind(place->listener, (const struct sockaddr *)&address, sizeof(address)) != 0)
        return lam_endpoint_refuse_file(place, file, 0, -errno, error);
    LAM_CRASH_POINT("endpoint.bound");
    if (fchmodat(place->directory_fd, file, options->mode != 0 ? options->mode : 0600, 0) != 0 ||
        (options->set_group &&
            fchownat(place->directory_fd, file, (uid_t)-1, options->group, AT_SYMLINK_NOFOLLOW)) ||
        fstatat(place->directory_fd, file, &status, AT_SYMLINK_NOFOLLOW) != 0 ||
        listen(place->listener, LISTEN_MANY) != 0)
        return lam_error_set(
            error, -errno, "%s/%s: mode, group: %s", place->directory, file, strerror(errno));
    place->inode = status.st_ino;
    return 0;
}

/*
 * Whether the socket that @file names is a dead daemon's: nobody listens there, or it is that of
 * the lock's last holder, whose forked child may have it open and hears nobody. One that cannot be
 * asked is not taken for one.
 */
static int is_dead(const struct lam_endpoint_place *place, const char *file, ino_t inode)
{
    return inode == place->left_inode || lam_endpoint_is_live(place->directory_fd, file) == 0;
}

/* Who listens at @file, or cannot be asked, stays. */
static int refuse_listener(
    const struct lam_endpoint_place *place, const char *file, struct lam_error *error)
{
    int live = lam_endpoint_is_live(place->directory_fd, file);

    if (live < 0)
        return lam_endpoint_refuse_file(place, file, 0, live, error);
    return lam_error_set(error, -EBUSY,
        "%s/%s: somebody listens there who does not hold the lock; \"fuser %s/%s\" finds it",
        place->directory, file, place->directory, file);
}

/* Put the socket where another file is: a dead daemon's socket, or it stays. */
static int replace(
    struct lam_endpoint_place *place, const char *from, const char *to, struct lam_error *error)
{
    struct stat status;
    int fd = place->directory_fd;

    if (fstatat(fd, to, &status, AT_SYMLINK_NOFOLLOW) != 0)
        return errno == ENOENT ? 1 : -errno;
    if (!S_ISSOCK(status.st_mode))
        return lam_error_set(
            error, -EEXIST, "%s/%s is no socket: it is left alone", place->directory, to);
    if (!is_dead(place, to, status.st_ino))
        return refuse_listener(place, to, error);
    if (renameat2(fd, from, fd, to, RENAME_EXCHANGE) != 0)
        return errno == ENOENT ? 1 : -errno;
    LAM_CRASH_POINT("endpoint.exchanged");
    if (fstatat(fd, from, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISSOCK(status.st_mode) &&
        is_dead(place, from, status.st_ino)) {
        (void)unlinkat(fd, from, 0);
        return 0;
    }
    (void)renameat2(fd, from, fd, to, RENAME_EXCHANGE); /* changed under our eyes: as it was */
    return lam_error_set(error, -EEXIST, "%s/%s changes: it is left alone", place->directory, to);
}

static int appear(struct lam_endpoint_place *place, const char *from, struct lam_error *error)
{
    char to[PLACE_FILE_BYTES];
    int rc = 1;

    lam_endpoint_file(to, place->name, ".sock");
    for (int turn = 0; rc == 1 && turn < 100; turn++) {
        if (renameat2(place->directory_fd, from, place->directory_fd, to, RENAME_NOREPLACE) == 0)
            rc = 0;
        else if (errno == EEXIST)
            rc = replace(place, from, to, error);
        else
            rc = lam_endpoint_refuse_file(place, to, 0, -errno, error);
    }
    LAM_CRASH_POINT("endpoint.appeared");
    return rc == 1 ? -EEXIST : rc;
}

void lam_endpoint_place_clear(struct lam_endpoint_place *place)
{
    memset(place, 0, sizeof(*place));
    place->directory_fd = -1;
    place->listener = -1;
    place->lock.fd = -1;
}

int lam_endpoint_place_take(struct lam_endpoint_place *place,
    const struct lam_daemon_options *options, struct lam_error *error)
{
    char file[PLACE_FILE_BYTES];
    int rc = lam_endpoint_check_name(options->name, error);

    lam_endpoint_place_clear(place);
    if (rc != 0)
        return rc;
    (void)snprintf(place->name, sizeof(place->name), "%s", options->name);
    rc = lam_endpoint_open_directory(options->directory, 1, place->directory, error);
    if (rc < 0)
        return rc;
    place->directory_fd = rc;
    first_name(file, place->name);
    rc = lam_endpoint_lock_take(place, error);
    if (rc == 0)
        rc = bind_first_name(place, options, file, error);
    if (rc == 0)
        rc = appear(place, file, error);
    if (rc == 0) {
        lam_endpoint_lock_remember(place);
        return 0;
    }
    if (place->inode != 0)
        (void)unlinkat(place->directory_fd, file, 0);
    place->inode = 0;
    lam_endpoint_place_give_back(place);
    return rc;
}

void lam_endpoint_place_hide(struct lam_endpoint_place *place)
{
    char file[PLACE_FILE_BYTES];
    struct stat status;

    lam_endpoint_file(file, place->name, ".sock");
    if (place->listener >= 0 && lam_lock_is_held(&place->lock) && place->inode != 0 &&
        fstatat(place->directory_fd, file, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
        status.st_ino == place->inode)
        (void)unlinkat(place->directory_fd, file, 0);
    if (place->listener >= 0)
        (void)close(place->listener);
    place->listener = -1;
}

void lam_endpoint_place_give_back(struct lam_endpoint_place *place)
{
    char file[PLACE_FILE_BYTES];

    lam_endpoint_place_hide(place);
    lam_endpoint_file(file, place->name, ".lock");
    /* While it is locked: whoever has opened it finds that it is no longer the one of that name. */
    if (lam_lock_is_held(&place->lock))
        (void)unlinkat(place->directory_fd, file, 0);
    lam_lock_drop(&place->lock);
    if (place->directory_fd >= 0)
        (void)close(place->directory_fd);
    place->directory_fd = -1;
}
