/* SPDX-License-Identifier: Apache-2.0 */
/*
 * linux_address.c: from an address to a socket, and from a socket to who is there.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "env/linux_parts.h"

/* Connections that wait for being accepted; the kernel has a bound of its own. */
#define BACKLOG 4096

static int parse_path(const char *path, struct linux_address *address)
{
    size_t count = strlen(path);

    if (count == 0)
        return -EINVAL;
    if (count >= sizeof(address->path.sun_path))
        return -ENAMETOOLONG;
    address->path.sun_family = AF_UNIX;
    memcpy(address->path.sun_path, path, count + 1);
    address->bytes = sizeof(address->path);
    return 0;
}

/* "0" to "65535". Returns it, or -EINVAL. */
static int parse_port(const char *digits)
{
    int port = 0;

    if (*digits == 0)
        return -EINVAL;
    for (; *digits != 0; digits++) {
        if (*digits < '0' || *digits > '9')
            return -EINVAL;
        port = port * 10 + *digits - '0';
        if (port > 65535)
            return -EINVAL;
    }
    return port;
}

static int parse_host(const char *text, struct linux_address *address)
{
    const char *colon = strrchr(text, ':');
    char host[64] = "";
    size_t count = colon == NULL ? sizeof(host) : (size_t)(colon - text);
    int port = colon == NULL ? -EINVAL : parse_port(colon + 1), is_v6 = text[0] == '[';

    if (port < 0 || count >= sizeof(host) || (is_v6 && (count < 2 || text[count - 1] != ']')))
        return -EINVAL;
    if (is_v6)
        memcpy(host, text + 1, count - 2);
    else
        memcpy(host, text, count);
    if (is_v6) {
        address->v6.sin6_family = AF_INET6;
        address->v6.sin6_port = htons((uint16_t)port);
        address->bytes = sizeof(address->v6);
        return inet_pton(AF_INET6, host, &address->v6.sin6_addr) == 1 ? 0 : -EINVAL;
    }
    address->v4.sin_family = AF_INET;
    address->v4.sin_port = htons((uint16_t)port);
    address->bytes = sizeof(address->v4);
    return inet_pton(AF_INET, strcmp(host, "localhost") == 0 ? "127.0.0.1" : host,
               &address->v4.sin_addr) == 1
               ? 0
               : -EINVAL;
}

int linux_address_parse(const char *text, struct linux_address *address)
{
    memset(address, 0, sizeof(*address));
    if (strncmp(text, "unix:", 5) == 0)
        return parse_path(text + 5, address);
    if (strncmp(text, "tcp:", 4) == 0)
        return parse_host(text + 4, address);
    return -EINVAL;
}

static void print(const struct linux_address *address, char *text)
{
    char host[INET6_ADDRSTRLEN] = "";

    if (address->any.sa_family == AF_UNIX) {
        (void)snprintf(text, LAM_ENV_ADDRESS_BYTES, "unix:%.*s", LAM_ENV_ADDRESS_BYTES - 6,
            address->path.sun_path);
    } else if (address->any.sa_family == AF_INET6) {
        (void)inet_ntop(AF_INET6, &address->v6.sin6_addr, host, sizeof(host));
        (void)snprintf(
            text, LAM_ENV_ADDRESS_BYTES, "tcp:[%s]:%u", host, ntohs(address->v6.sin6_port));
    } else {
        (void)inet_ntop(AF_INET, &address->v4.sin_addr, host, sizeof(host));
        (void)snprintf(text, LAM_ENV_ADDRESS_BYTES, "tcp:%s:%u", host, ntohs(address->v4.sin_port));
    }
}

int linux_address_of(int file, struct lam_env_peer *peer)
{
    struct linux_address address = {.bytes = sizeof(struct sockaddr_un)};
    struct ucred who = {.uid = (uid_t)-1};
    socklen_t bytes = sizeof(who);

    memset(peer, 0, sizeof(*peer));
    if (getsockname(file, &address.any, &address.bytes) != 0)
        return -errno;
    if (address.any.sa_family == AF_UNIX) {
        if (getsockopt(file, SOL_SOCKET, SO_PEERCRED, &who, &bytes) != 0)
            return -errno;
        /* Who connects has no name; the one that it connected to has. */
        if (address.bytes <= sizeof(address.path.sun_family)) {
            address.bytes = sizeof(address.path);
            (void)getpeername(file, &address.any, &address.bytes);
        }
    } else {
        address.bytes = sizeof(struct sockaddr_un);
        if (getpeername(file, &address.any, &address.bytes) != 0 && errno != ENOTCONN)
            return -errno;
    }
    peer->uid = who.uid;
    peer->pid = who.pid;
    print(&address, peer->address);
    return 0;
}

int linux_socket(const struct linux_address *address)
{
    int file = socket(address->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    return file < 0 ? -errno : file;
}

void linux_no_delay(int file)
{
    int one = 1;

    /* Refused by a socket that is no tcp: that has no delay. */
    (void)setsockopt(file, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
}

/* A socket that nobody serves any more refuses. */
static int is_left_behind(const struct linux_address *address)
{
    struct stat about;
    int is_refused, file;

    if (lstat(address->path.sun_path, &about) != 0 || !S_ISSOCK(about.st_mode) ||
        (file = linux_socket(address)) < 0)
        return 0;
    is_refused = connect(file, &address->any, address->bytes) != 0 && errno == ECONNREFUSED;
    (void)close(file);
    return is_refused;
}

static int try_listen(const struct linux_address *address)
{
    int file = linux_socket(address), one = 1, error;

    if (file < 0)
        return file;
    if (address->any.sa_family == AF_UNIX)
        (void)fchmod(file, 0600); /* what bind() makes has this mode */
    else /* connections of a process before this one may still be waiting out their time */
        (void)setsockopt(file, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (bind(file, &address->any, address->bytes) == 0 && listen(file, BACKLOG) == 0)
        return file;
    error = -errno;
    (void)close(file);
    return error;
}

int linux_listen(const char *text, struct linux_file *file_made)
{
    struct linux_address address;
    struct stat about;
    int file, rc = linux_address_parse(text, &address);

    *file_made = (struct linux_file){0};
    if (rc != 0)
        return rc;
    file = try_listen(&address);
    if (address.any.sa_family != AF_UNIX)
        return file;
    if (file == -EADDRINUSE && is_left_behind(&address) && unlink(address.path.sun_path) == 0)
        file = try_listen(&address);
    if (file >= 0 && lstat(address.path.sun_path, &about) == 0) {
        file_made->device = about.st_dev;
        file_made->inode = about.st_ino;
    }
    return file;
}

void linux_unlist(int listener, const struct linux_file *file)
{
    struct linux_address address = {.bytes = sizeof(struct sockaddr_un)};
    struct stat about;

    if (file->inode == 0 || getsockname(listener, &address.any, &address.bytes) != 0)
        return;
    if (lstat(address.path.sun_path, &about) == 0 && about.st_dev == file->device &&
        about.st_ino == file->inode)
        (void)unlink(address.path.sun_path);
}
