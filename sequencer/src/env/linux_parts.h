/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_SEQUENCER_LINUX_PARTS_H
#define LAM_SEQUENCER_LINUX_PARTS_H

/*
 * linux_parts.h: what the files of the Linux envs have from each other.
 */

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "env/linux.h"

struct linux_address {
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
        struct sockaddr_un path;
    };
    socklen_t bytes;
};

/* Returns 0, -EINVAL: no address, or -ENAMETOOLONG: of a path. */
int linux_address_parse(const char *text, struct linux_address *address);

/* As lam_env_ops.peer. */
int linux_address_of(int file, struct lam_env_peer *peer);

/* A listener at @text. A name that a dead process has left is replaced. Returns it, or -errno. */
int linux_listen(const char *text, struct linux_file *file_made);

/* The name that it made goes, where it is still its own. */
void linux_unlist(int listener, const struct linux_file *file);

/* A socket for @address that does not block. Returns it, or -errno. */
int linux_socket(const struct linux_address *address);

/* What a connection over tcp is told, whoever made it. */
void linux_no_delay(int file);

/* A disk call, from start to end. Returns its result. */
int64_t linux_disk_call(int directory, const struct lam_env_io *io);

/* @io has its result: the next poll tells it. */
void linux_made(struct lam_env_linux *linux_env, struct lam_env_io *io, int64_t result);

/* Start a network call. */
void linux_net_start(struct lam_env_linux *linux_env, struct lam_env_io *io);

/* Try again what may be done now. */
void linux_net_look(struct lam_env_linux *linux_env);

/* @file is about to be closed. */
void linux_net_close(struct lam_env_linux *linux_env, int file);

/* As lam_env_ops.cancel. */
void linux_net_cancel(struct lam_env_linux *linux_env, struct lam_env_io *io);

#endif
