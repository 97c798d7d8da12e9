/* SPDX-License-Identifier: Apache-2.0 */
#include "linux/watch.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lamina/base/assert.h"
#include "lamina/base/clock.h"

#define EVENTS                                                                                     \
    (IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_CREATE | IN_ATTRIB |            \
        IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR)
#define SELF (IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED | IN_UNMOUNT)

#define SEARCH_NS LAM_NS_PER_S

static int add(struct watch *watch, uint32_t index)
{
    watch->ids[index] = inotify_add_watch(watch->fd, watch->directories[index], EVENTS);
    return watch->ids[index] < 0 ? -errno : 0;
}

int watch_open(struct watch *watch, const char *const *directories, uint32_t count, uint32_t *which)
{
    int rc = 0;

    *which = count;
    watch->count = count;
    watch->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (watch->fd < 0)
        return -errno;
    watch->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (watch->stop_fd < 0) {
        rc = -errno;
        (void)close(watch->fd);
        return rc;
    }
    for (uint32_t i = 0; i < count && rc == 0; i++) {
        watch->directories[i] = directories[i];
        rc = add(watch, i);
        if (rc != 0)
            *which = i;
    }
    if (rc != 0)
        watch_close(watch);
    return rc;
}

void watch_close(struct watch *watch)
{
    (void)close(watch->fd);
    (void)close(watch->stop_fd);
}

void watch_stop(struct watch *watch)
{
    LAM_ASSERT(eventfd_write(watch->stop_fd, 1) == 0);
}

/* Another name of a file that is there already is all that will be told of it. One that was made
 * now is not whole: it counts when it is closed. */
static int is_whole(const struct watch *watch, int id, const char *name)
{
    char path[4096 + 256];
    struct stat status;

    for (uint32_t i = 0; i < watch->count; i++)
        if (watch->ids[i] == id &&
            snprintf(path, sizeof(path), "%s/%s", watch->directories[i], name) < (int)sizeof(path))
            return lstat(path, &status) == 0 && (!S_ISREG(status.st_mode) || status.st_nlink > 1);
    return 0;
}

/* It is somewhere else, or nowhere: what is there now is looked for by its name. */
static void lose(struct watch *watch, int id)
{
    for (uint32_t i = 0; i < watch->count; i++)
        if (watch->ids[i] == id) {
            (void)inotify_rm_watch(watch->fd, id);
            watch->ids[i] = -1;
        }
}

static void tell(
    struct watch *watch, const struct inotify_event *event, watch_fn visit, void *context)
{
    const char *name = event->len != 0 ? event->name : "";

    if ((event->mask & IN_Q_OVERFLOW) != 0) {
        visit(context, WATCH_LOST, "");
    } else if ((event->mask & SELF) != 0) {
        lose(watch, event->wd);
        visit(context, WATCH_LOST, "");
    } else if (name[0] == '\0' || (event->mask & IN_ISDIR) != 0) {
        return;
    } else if ((event->mask & IN_MOVED_TO) != 0) {
        visit(context, WATCH_HERE, name);
    } else if ((event->mask & (IN_MOVED_FROM | IN_DELETE)) != 0) {
        visit(context, WATCH_GONE, name);
    } else if ((event->mask & IN_ATTRIB) != 0) {
        visit(context, WATCH_TOUCHED, name);
    } else if ((event->mask & IN_CLOSE_WRITE) != 0 || is_whole(watch, event->wd, name)) {
        visit(context, WATCH_WRITTEN, name);
    }
}

/* All that is there now: who makes events all the time is not followed for ever. */
static void take_some(struct watch *watch, watch_fn visit, void *context)
{
    _Alignas(struct inotify_event) char bytes[16384];
    ssize_t got = read(watch->fd, bytes, sizeof(bytes));
    ssize_t at = 0;

    while (at < got) {
        const struct inotify_event *event = (const void *)(bytes + at);

        tell(watch, event, visit, context);
        at += (ssize_t)(sizeof(*event) + event->len);
    }
}

/* For those that are not watched. Returns how many have come. */
static uint32_t search(struct watch *watch, uint32_t *missing)
{
    uint32_t found = 0;

    *missing = 0;
    for (uint32_t i = 0; i < watch->count; i++) {
        if (watch->ids[i] >= 0)
            continue;
        if (add(watch, i) == 0)
            found++;
        else
            (*missing)++;
    }
    return found;
}

static int ms_until(uint64_t deadline_ns)
{
    uint64_t now_ns = lam_clock_now_ns(), ms;

    if (deadline_ns == LAM_DEADLINE_NEVER)
        return -1;
    ms = deadline_ns <= now_ns ? 0 : (deadline_ns - now_ns + LAM_NS_PER_MS - 1) / LAM_NS_PER_MS;
    return ms > 1000000 ? 1000000 : (int)ms;
}

int watch_wait(struct watch *watch, uint64_t deadline_ns, watch_fn visit, void *context)
{
    struct pollfd both[2] = {
        {.fd = watch->fd, .events = POLLIN}, {.fd = watch->stop_fd, .events = POLLIN}};
    uint32_t missing;

    if (search(watch, &missing) != 0) {
        visit(context, WATCH_LOST, "");
        return 1;
    }
    if (missing != 0) {
        uint64_t again_ns = lam_deadline_after_ns(SEARCH_NS);

        deadline_ns = again_ns < deadline_ns ? again_ns : deadline_ns;
    }
    (void)poll(both, 2, ms_until(deadline_ns));
    if ((both[1].revents & POLLIN) != 0)
        return 0;
    if ((both[0].revents & POLLIN) != 0)
        take_some(watch, visit, context);
    return 1;
}
