/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: what a dead ring left under a name is replaced, and nothing else is: no ring of another
 * layout version, whose locks may lie elsewhere, and nothing that no ring has made.
 * Method: names taken by the dead, by halves of them, by rings with another version in their heads.
 */
#include "lamina/ring/ring.h"
#include "layout.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char name[64];
static struct lam_ring ring, other;
static struct lam_error error;

static void setup(void)
{
    (void)snprintf(name, sizeof(name), "test-replace-%d", (int)getpid());
    memset(&error, 0, sizeof(error));
}

TestSuite(replace, .init = setup, .timeout = 20);

static struct lam_ring_options named(void)
{
    return (struct lam_ring_options){.backing = LAM_BACKING_NAMED, .name = name, .depth = 64};
}

/* The path of the ring's control object, or of its data. */
static const char *path_of(int is_data)
{
    static char path[128];

    (void)snprintf(path, sizeof(path), "/dev/shm/lamina.%s.%s", name, is_data ? "data" : "control");
    return path;
}

static int exists(const char *part)
{
    return access(path_of(strcmp(part, "data") == 0), F_OK) == 0;
}

Test(replace, what_a_dead_creator_left_is_replaced)
{
    struct lam_ring_options options = named();
    pid_t child = fork();
    int status = 0;

    if (child == 0)
        _exit(lam_ring_create(&ring, &options, NULL) == 0 ? 0 : 1);
    cr_assert(eq(int, (int)waitpid(child, &status, 0), (int)child));
    cr_assert(eq(int, status, 0));
    cr_assert(exists("data"));
    cr_assert(eq(int, lam_ring_create(&ring, &options, &error), 0), "%s", error.text);
    cr_assert(eq(int, lam_ring_destroy(&ring), 0));
    cr_assert(not(exists("data")));
}

/* A ring that nobody holds. */
static void leave_dead(void)
{
    struct lam_ring_options options = named();

    cr_assert(eq(int, lam_ring_create(&ring, &options, &error), 0), "%s", error.text);
    lam_ring_detach(&ring);
}

Test(replace, data_or_control_left_alone_does_not_stand_in_the_way)
{
    struct lam_ring_options options = named();

    for (int i = 0; i < 2; i++) {
        leave_dead();
        cr_assert(eq(int, unlink(path_of(i)), 0));
        cr_assert(eq(int, lam_ring_create(&ring, &options, &error), 0), "%s", error.text);
        cr_assert(eq(int, lam_ring_destroy(&ring), 0));
    }
}

Test(replace, a_dead_ring_whose_control_was_spoilt_is_replaced)
{
    struct lam_ring_options options = named();
    int fd;

    leave_dead();
    fd = open(path_of(0), O_WRONLY | O_CLOEXEC);
    cr_assert(fd >= 0 && pwrite(fd, "damaged!", 8, 0) == 8);
    (void)close(fd);
    cr_assert(eq(int, lam_ring_create(&ring, &options, &error), 0), "%s", error.text);
    cr_assert(eq(int, lam_ring_destroy(&ring), 0));
}

static void put_text(const char *path)
{
    int fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);

    cr_assert(fd >= 0 && write(fd, "mine", 4) == 4);
    (void)close(fd);
}

static void put_link(const char *path)
{
    cr_assert(eq(int, symlink("/dev/shm/nothing-of-the-kind", path), 0));
}

static void put_fifo(const char *path)
{
    cr_assert(eq(int, mkfifo(path, 0600), 0));
}

static void put_directory(const char *path)
{
    cr_assert(eq(int, mkdir(path, 0700), 0));
}

Test(replace, what_is_no_ring_is_never_replaced)
{
    static void (*const put[])(const char *) = {put_text, put_link, put_fifo, put_directory};
    struct lam_ring_options options = named();
    struct stat before, after;

    for (int i = 0; i < 8; i++) {
        const char *path = path_of(i % 2);

        put[i / 2](path);
        cr_assert(eq(int, lstat(path, &before), 0));
        cr_assert(eq(int, lam_ring_create(&ring, &options, &error), -EEXIST), "%s", error.text);
        cr_assert(ne(ptr, strstr(error.text, path), NULL), "%s", error.text);
        cr_assert(ne(ptr, strstr(error.text, "no object of a ring"), NULL), "%s", error.text);
        cr_assert(eq(int, lstat(path, &after), 0));
        cr_assert(eq(u64, (uint64_t)before.st_ino, (uint64_t)after.st_ino));
        cr_assert(eq(int, remove(path), 0));
        cr_assert(not(exists("control")));
        cr_assert(not(exists("data")));
    }
}

Test(replace, destroying_does_not_remove_a_name_that_is_anothers_by_now)
{
    struct lam_ring_options options = named();

    cr_assert(eq(int, lam_ring_create(&ring, &options, &error), 0));
    lam_lock_drop(&ring.creator); /* as if its creator had died, while we still hold the memory */
    cr_assert(eq(int, lam_ring_create(&other, &options, &error), 0), "%s", error.text);
    cr_assert(eq(int, lam_ring_destroy(&ring), 0));
    cr_assert(exists("data"));
    cr_assert(eq(int, lam_ring_destroy(&other), 0));
    cr_assert(not(exists("data")));
}

/* What a lamina with another layout would have written there. */
static void claim_version(int is_data, uint32_t version)
{
    int fd = open(path_of(is_data), O_WRONLY | O_CLOEXEC);
    off_t at = (off_t)offsetof(struct lam_ring_mark, version);

    cr_assert(fd >= 0 && pwrite(fd, &version, sizeof(version), at) == sizeof(version));
    (void)close(fd);
}

static void remove_both(void)
{
    for (int is_data = 0; is_data < 2; is_data++)
        cr_assert(unlink(path_of(is_data)) == 0 || errno == ENOENT);
}

Test(replace, a_dead_ring_of_another_layout_is_left_and_named)
{
    static const uint32_t versions[] = {
        0, LAM_RING_LAYOUT_VERSION - 1, LAM_RING_LAYOUT_VERSION + 1};
    struct lam_ring_options options = named();
    char says[40];

    for (int i = 0; i < 3; i++) {
        leave_dead();
        claim_version(0, versions[i]);
        claim_version(1, versions[i]);
        (void)snprintf(
            says, sizeof(says), "is %u, expected %d", versions[i], LAM_RING_LAYOUT_VERSION);
        cr_assert(eq(int, lam_ring_create(&ring, &options, &error), -EPROTO), "%s", error.text);
        cr_assert(ne(ptr, strstr(error.text, says), NULL), "%s", error.text);
        cr_assert(ne(ptr, strstr(error.text, path_of(0)), NULL), "%s", error.text);
        cr_assert(exists("control") && exists("data"));
        options.keep = 1;
        cr_assert(eq(int, lam_ring_create(&ring, &options, &error), -EPROTO), "%s", error.text);
        cr_assert(ne(ptr, strstr(error.text, "layout version is"), NULL), "%s", error.text);
        cr_assert(exists("control") && exists("data"));
        options.keep = 0;
        remove_both();
    }
}

Test(replace, half_a_ring_of_another_layout_is_left_too)
{
    struct lam_ring_options options = named();

    for (int left = 0; left < 2; left++) {
        leave_dead();
        claim_version(left, LAM_RING_LAYOUT_VERSION + 1);
        cr_assert(eq(int, unlink(path_of(!left)), 0));
        cr_assert(eq(int, lam_ring_create(&ring, &options, &error), -EPROTO), "%s", error.text);
        cr_assert(exists(left ? "data" : "control") && !exists(left ? "control" : "data"));
        remove_both();
    }
}

/* Any end may write control, so what it says of its version alone keeps no name. */
Test(replace, a_version_that_a_consumer_wrote_into_control_keeps_no_name)
{
    struct lam_ring_options options = named();

    leave_dead();
    claim_version(0, LAM_RING_LAYOUT_VERSION + 1);
    cr_assert(eq(int, lam_ring_create(&ring, &options, &error), 0), "%s", error.text);
    cr_assert(eq(int, lam_ring_destroy(&ring), 0));
}
