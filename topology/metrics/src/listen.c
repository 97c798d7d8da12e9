/* SPDX-License-Identifier: Apache-2.0 */
#include "listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 16

/* Bind and listen; on error the descriptor is closed. Returns 0 or -errno. */
static int begin(int fd, const struct sockaddr *address, socklen_t bytes)
{
    if (bind(fd, address, bytes) == 0 && listen(fd, BACKLOG) == 0)
        return 0;
    int rc = -errno;

    (void)close(fd);
    return rc;
}

static uint32_t port_of(int fd)
{
    /* The ports of both families lie at the same place. */
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } found;
    socklen_t bytes = sizeof(found);

    memset(&found, 0, sizeof(found));
    return getsockname(fd, &found.any, &bytes) == 0 ? ntohs(found.v4.sin_port) : 0;
}

static int open_port(
    struct listener *listener, const char *address, uint32_t port, struct lam_error *error)
{
    struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
        .ai_family = AF_UNSPEC,
        .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    char digits[16];
    int rc, one = 1;

    (void)snprintf(digits, sizeof(digits), "%u", port);
    if (port > 65535 || getaddrinfo(address, digits, &hints, &found) != 0)
        return lam_error_set(error, -EINVAL,
            "metrics: %s, port %u: an address in numbers and a port to 65535 are needed", address,
            port);
    listener->fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    rc = listener->fd < 0 ? -errno : 0;
    if (rc == 0) {
        /* Connections of a server before this one may still be waiting out their time. */
        (void)setsockopt(listener->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
        rc = begin(listener->fd, found->ai_addr, found->ai_addrlen);
    }
    freeaddrinfo(found);
    if (rc != 0)
        return lam_error_set(error, rc, "metrics: %s, port %u: %s", address, port, strerror(-rc));
    listener->port = port_of(listener->fd);
    return 0;
}

/* A socket that nobody serves any more refuses. */
static int is_left_behind(const struct sockaddr_un *address)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int is_refused = 0;

    if (fd < 0)
        return 0;
    if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) != 0)
        is_refused = errno == ECONNREFUSED;
    (void)close(fd);
    return is_refused;
}

static int try_path(struct listener *listener, const struct sockaddr_un *address)
{
    listener->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (listener->fd < 0)
        return -errno;
    (void)fchmod(listener->fd, 0600); /* what bind() makes has this mode */
    return begin(listener->fd, (const struct sockaddr *)address, sizeof(*address));
}

static int open_path(struct listener *listener, const char *path, struct lam_error *error)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct stat stat;
    int rc;

    if (strlen(path) >= sizeof(address.sun_path))
        return lam_error_set(error, -ENAMETOOLONG, "metrics: %s: at most %zu bytes", path,
            sizeof(address.sun_path) - 1);
    memcpy(address.sun_path, path, strlen(path));
    rc = try_path(listener, &address);
    if (rc == -EADDRINUSE && lstat(path, &stat) == 0 && S_ISSOCK(stat.st_mode) &&
        is_left_behind(&address) && unlink(path) == 0)
        rc = try_path(listener, &address);
    if (rc != 0)
        return lam_error_set(error, rc, "metrics: %s: %s", path, strerror(-rc));
    listener->path = strdup(path);
    if (listener->path == NULL || lstat(path, &stat) != 0) {
        free(listener->path);
        (void)unlink(path);
        (void)close(listener->fd);
        return lam_error_set(error, -ENOMEM, "metrics: %s: out of memory, or it is gone", path);
    }
    listener->device = stat.st_dev;
    listener->inode = stat.st_ino;
    return 0;
}

int listener_open(
    struct listener *listener, const struct lam_metrics_options *options, struct lam_error *error)
{
    memset(listener, 0, sizeof(*listener));
    if (options->socket == NULL)
        return open_port(listener, options->address != NULL ? options->address : "127.0.0.1",
            options->port, error);
    if (options->address != NULL || options->port != 0)
        return lam_error_set(error, -EINVAL, "metrics: a socket, or an address and a port");
    return open_path(listener, options->socket, error);
}

void listener_forget(struct listener *listener)
{
    struct stat stat;

    if (listener->path != NULL && lstat(listener->path, &stat) == 0 &&
        stat.st_dev == listener->device && stat.st_ino == listener->inode)
        (void)unlink(listener->path);
    free(listener->path);
    listener->path = NULL;
}
