/* SPDX-License-Identifier: Apache-2.0 */
/* Where endpoints are, and calling one: names, the directory, a socket's address. */
#include "place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

struct sockaddr_un lam_endpoint_address(int directory_fd, const char *file)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    (void)snprintf(
        address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/%s", directory_fd, file);
    return address;
}

int lam_endpoint_check_name(const char *name, struct lam_error *error)
{
    size_t length = name == NULL ? 0 : strnlen(name, LAM_ENDPOINT_NAME_MAX + 1);

    if (length == 0 || length > LAM_ENDPOINT_NAME_MAX || name[0] == '.' ||
        strchr(name, '/') != NULL)
        return lam_error_set(error, -EINVAL,
            "endpoint \"%.80s\": a name has 1 to %d bytes, no '/', and no '.' in front",
            name == NULL ? "" : name, LAM_ENDPOINT_NAME_MAX);
    return 0;
}

int lam_endpoint_open_directory(
    const char *given, int make, char path[LAM_ENDPOINT_PATH_MAX + 1], struct lam_error *error)
{
    int fd;
    int rc = 0;

    if (given == NULL)
        rc = lam_endpoint_directory(path, error);
    else if (snprintf(path, LAM_ENDPOINT_PATH_MAX + 1, "%s", given) > LAM_ENDPOINT_PATH_MAX)
        rc = lam_error_set(error, -ENAMETOOLONG, "the directory's name is too long");
    if (rc != 0)
        return rc;
    if (make && mkdir(path, 0700) != 0 && errno != EEXIST)
        return lam_error_set(error, -errno,
            "%s: cannot be made: %s; LAMINA_RUN_DIR says where else", path, strerror(errno));
    fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return lam_error_set(
            error, -errno, "%s: %s; LAMINA_RUN_DIR says where else", path, strerror(errno));
    return fd;
}

int lam_endpoint_is_live(int directory_fd, const char *file)
{
    struct sockaddr_un address = lam_endpoint_address(directory_fd, file);
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int rc;

    if (fd < 0)
        return -errno;
    rc = connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0 ? 0 : errno;
    (void)close(fd);
    return rc != ECONNREFUSED && rc != ENOENT;
}

/* Nobody listens there, because of @code: and now? Returns -@code. */
static int say_nobody(struct lam_error *error, int code, const char *path, const char *file)
{
    const char *advice = code == ENOENT         ? ": has its daemon started, in this directory?"
                         : code == ECONNREFUSED ? ": its daemon is dead, and has no successor yet"
                                                : "";

    return lam_error_set(error, -code, "%s/%s: %s%s", path, file, strerror(code), advice);
}

int lam_endpoint_call(const char *name, const char *directory, struct lam_error *error)
{
    char path[LAM_ENDPOINT_PATH_MAX + 1], file[PLACE_FILE_BYTES];
    struct sockaddr_un address;
    int directory_fd, fd;
    int rc = lam_endpoint_check_name(name, error);

    if (rc != 0)
        return rc;
    directory_fd = lam_endpoint_open_directory(directory, 0, path, error);
    if (directory_fd < 0)
        return directory_fd;
    lam_endpoint_file(file, name, ".sock");
    address = lam_endpoint_address(directory_fd, file);
    fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        rc = lam_error_set(error, -errno, "no socket: %s", strerror(errno));
    else if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) != 0)
        rc = say_nobody(error, errno, path, file);
    (void)close(directory_fd);
    if (rc == 0)
        return fd;
    if (fd >= 0)
        (void)close(fd);
    return rc;
}
