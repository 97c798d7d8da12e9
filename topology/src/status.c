/* SPDX-License-Identifier: Apache-2.0 */
#include "status.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void status_name(const char *topology, char name[LAM_TOPOLOGY_RING_NAME_BYTES])
{
    (void)snprintf(name, LAM_TOPOLOGY_RING_NAME_BYTES, "lamina.%.31s.topology", topology);
}

static uint64_t mapped_bytes(void)
{
    uint64_t page = lam_segment_page_bytes();

    return (sizeof(struct status_page) + page - 1) / page * page;
}

static int write_plan(
    struct status_page *page, const struct lam_plan *plan, struct lam_error *error)
{
    FILE *out = fmemopen(page->plan, sizeof(page->plan), "w");
    long bytes;

    if (out == NULL)
        return lam_error_set(error, -errno, "fmemopen: %s", strerror(errno));
    (void)lam_plan_dump(plan, out);
    bytes = fflush(out) == 0 ? ftell(out) : -1;
    if (fclose(out) != 0 || bytes < 0 || bytes >= STATUS_PLAN_BYTES)
        return lam_error_set(
            error, -E2BIG, "the plan with its settings is longer than %d bytes", STATUS_PLAN_BYTES);
    page->plan_bytes = (uint32_t)bytes;
    return 0;
}

static int fill(
    struct status_page *page, const struct lam_plan *plan, uint32_t flags, struct lam_error *error)
{
    char folder[1024];
    char whole[PATH_MAX];

    page->magic = STATUS_MAGIC;
    page->version = STATUS_VERSION;
    page->page_bytes = sizeof(*page);
    page->instance_count = plan->instance_count;
    page->core_count = plan->core_count;
    page->flags = flags;
    page->up_pid = (uint32_t)getpid();
    for (uint32_t i = 0; i < plan->parameter_count; i++)
        page->set_parameters |= (uint64_t)(plan->parameters[i].is_set != 0) << i;
    if (getcwd(page->start_directory, sizeof(page->start_directory)) == NULL)
        return lam_error_set(error, -errno, "getcwd: %s", strerror(errno));
    lam_plan_directory(plan, folder, sizeof(folder));
    if (realpath(folder, whole) == NULL || strlen(whole) >= sizeof(page->file_directory))
        return lam_error_set(error, -ENAMETOOLONG, "%s: cannot be resolved in 1023 bytes", folder);
    memcpy(page->file_directory, whole, strlen(whole) + 1);
    return write_plan(page, plan, error);
}

int status_create(
    struct status *status, const struct lam_plan *plan, uint32_t flags, struct lam_error *error)
{
    char name[LAM_TOPOLOGY_RING_NAME_BYTES];
    struct lam_segment_options options = {
        .backing = LAM_BACKING_NAMED, .name = name, .head_bytes = mapped_bytes()};
    int code;

    status_name(plan->name, name);
    code = lam_segment_create(&status->segment, &options, error);
    if (code != 0)
        return code;
    status->page = (struct status_page *)(void *)status->segment.base;
    code = fill(status->page, plan, flags, error);
    if (code != 0)
        lam_segment_close(&status->segment);
    return code;
}

static int refuse(struct status *status, struct lam_error *error, const char *field, uint64_t found,
    uint64_t expected)
{
    (void)lam_error_set(error, -EPROTO, "%s: %s is %llu, expected %llu: made by another version?",
        status->segment.path, field, (unsigned long long)found, (unsigned long long)expected);
    lam_segment_close(&status->segment);
    return -EPROTO;
}

static int check(struct status *status, struct lam_error *error)
{
    const struct status_page *page = status->page;

    if (page->magic != STATUS_MAGIC)
        return refuse(status, error, "magic", page->magic, STATUS_MAGIC);
    if (page->version != STATUS_VERSION)
        return refuse(status, error, "version", page->version, STATUS_VERSION);
    if (page->page_bytes != sizeof(*page))
        return refuse(status, error, "page_bytes", page->page_bytes, sizeof(*page));
    return 0;
}

int status_attach(
    struct status *status, const char *topology, enum lam_access access, struct lam_error *error)
{
    char name[LAM_TOPOLOGY_RING_NAME_BYTES];
    int code;

    status_name(topology, name);
    code = lam_segment_open(&status->segment, NULL, name, access, error);
    if (code == -ENOENT)
        return lam_error_set(error, code, "no topology \"%s\" is up on this machine", topology);
    if (code != 0)
        return code;
    if (lam_segment_object_bytes(&status->segment) < (int64_t)mapped_bytes())
        return refuse(status, error, "size", (uint64_t)lam_segment_object_bytes(&status->segment),
            mapped_bytes());
    code = lam_segment_map(&status->segment, mapped_bytes(), 0, error);
    if (code != 0) {
        lam_segment_close(&status->segment);
        return code;
    }
    status->page = (struct status_page *)(void *)status->segment.base;
    return check(status, error);
}

/* The page can be written by every role: what it says is copied, then checked as any file is. */
int status_plan(const struct status *status, struct lam_plan **plan, struct lam_error *error)
{
    struct lam_machine machine;
    uint32_t bytes = status->page->plan_bytes;
    uint64_t set_parameters = status->page->set_parameters;
    char *report = NULL;
    char *text;
    int code;

    if (bytes >= STATUS_PLAN_BYTES)
        return lam_error_set(error, -EPROTO, "%s: plan_bytes is %u", status->segment.path, bytes);
    text = malloc(bytes + 1);
    if (text == NULL)
        return lam_error_set(error, -ENOMEM, "out of memory");
    memcpy(text, status->page->plan, bytes);
    lam_machine_any(&machine);
    machine.core_count = status->page->core_count;
    code = lam_plan_read_text(plan, status->segment.path, text, bytes, &machine, &report);
    free(text);
    if (code != 0) {
        (void)lam_error_set(error, -EPROTO, "%s", report != NULL ? report : "out of memory");
        free(report);
        return code == -ENOMEM ? code : -EPROTO;
    }
    for (uint32_t i = 0; i < (*plan)->parameter_count; i++)
        (*plan)->parameters[i].is_set = (int)(set_parameters >> i & 1);
    return 0;
}

void status_read(const struct status *status, uint32_t instance, struct lam_topology_peer *peer)
{
    const struct status_instance *row = &status->page->instances[instance];
    /* A1, pairs with R1 in lam_topology_ready(): who is seen ready has attached to its rings. */
    uint32_t ready_starts = lam_load_acquire(&row->ready_starts);

    peer->starts = lam_load_relaxed(&row->starts);
    peer->pid = (int32_t)lam_load_relaxed(&row->pid);
    peer->cause = (int32_t)lam_load_relaxed(&row->cause);
    peer->step = lam_load_relaxed(&row->step);
    switch (lam_load_acquire(&row->run)) {
    case STATUS_RUNNING:
        peer->state = ready_starts == peer->starts ? LAM_TOPOLOGY_READY : LAM_TOPOLOGY_STARTING;
        break;
    case STATUS_ENDED:
        peer->state = LAM_TOPOLOGY_ENDED;
        break;
    case STATUS_DIED:
        peer->state = LAM_TOPOLOGY_DIED;
        break;
    default:
        peer->state = LAM_TOPOLOGY_ABSENT;
        break;
    }
}

void status_close(struct status *status)
{
    lam_segment_close(&status->segment);
    status->page = NULL;
}
