/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Joining a ring that somebody else made: heads are copied, checked, and only then mapped by.
 */
#include "geometry.h"
#include "names.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#define APPEAR_POLL_NS (2 * LAM_NS_PER_MS)

static int read_head(
    struct lam_segment *segment, void *head, size_t head_bytes, struct lam_error *error)
{
    int rc = lam_segment_read(segment, head, head_bytes);

    if (rc == -ENODATA)
        return lam_error_set(error, -EPROTO,
            "%s: %lld bytes, too short for a head of %zu: cut "
            "short, or not a ring",
            segment->path[0] == '\0' ? "object" : segment->path,
            (long long)lam_segment_object_bytes(segment), head_bytes);
    if (rc == -ESPIPE || rc == -EISDIR)
        return lam_error_set(error, -EPROTO, "%s: no regular file, so no ring", segment->path);
    if (rc != 0)
        return lam_error_set(error, rc, "%s: %s", segment->path, strerror(-rc));
    return 0;
}

static int check_type(const struct lam_ring_data *data, uint64_t wanted, struct lam_error *error)
{
    if (wanted == 0 || wanted == data->type_hash)
        return 0;
    return lam_error_set(error, -EPROTOTYPE,
        "it carries %s, type hash %016llx; expected type hash %016llx",
        data->type_name[0] == '\0' ? "an unnamed type" : data->type_name,
        (unsigned long long)data->type_hash, (unsigned long long)wanted);
}

/* A power cut may have left anything in the cells: nobody reads them before they were looked at. */
static int check_boot(const struct lam_ring *ring, const struct lam_ring_data *data,
    const struct lam_ring_attach_options *options, struct lam_error *error)
{
    if (ring->data.access == LAM_ACCESS_WRITE || options->observe ||
        !lam_ring_is_of_earlier_boot(data))
        return 0;
    return lam_error_set(error, -EOWNERDEAD,
        "ring %s: was written before this machine started anew; its producer has to come first",
        data->name);
}

/* Both objects are open. Check them, then map them. */
static int check_and_map(
    struct lam_ring *ring, const struct lam_ring_attach_options *options, struct lam_error *error)
{
    struct lam_ring_data data;
    struct lam_ring_control control;
    int rc = read_head(&ring->data, &data, sizeof(data), error);

    if (rc == 0)
        rc = lam_ring_check_data(&data, &ring->data, error);
    if (rc == 0)
        rc = read_head(&ring->control, &control, sizeof(control), error);
    if (rc == 0)
        rc = lam_ring_check_control(&control, &ring->control, error);
    if (rc == 0 && data.mark.ring_id != control.mark.ring_id)
        rc = lam_error_set(error, -EPROTO,
            "ring id of control is 0x%llx, expected 0x%llx as in data: two rings mixed up",
            (unsigned long long)control.mark.ring_id, (unsigned long long)data.mark.ring_id);
    if (rc == 0)
        rc = check_type(&data, options->type_hash, error);
    if (rc == 0)
        rc = check_boot(ring, &data, options, error);
    if (rc == 0)
        rc = lam_segment_map(
            &ring->data, data.head_bytes, data.mapped_cells * data.cell_bytes, error);
    if (rc == 0)
        rc = lam_segment_map(&ring->control, control.mark.object_bytes, 0, error);
    if (rc != 0)
        return rc;
    lam_ring_bind(ring, &data, control.schema_bytes, control.histogram_count);
    return options->access == LAM_ACCESS_WRITE && !options->observe ? lam_ring_revive(ring, error)
                                                                    : 0;
}

/* Data is mapped for writing by one of them alone, so what is neither would be for reading. */
static int check_access(enum lam_access access, struct lam_error *error)
{
    if (access == LAM_ACCESS_READ || access == LAM_ACCESS_WRITE)
        return 0;
    return lam_error_set(error, -EINVAL, "there is no access %d", (int)access);
}

int lam_ring_attach_once(
    struct lam_ring *ring, const struct lam_ring_attach_options *options, struct lam_error *error)
{
    char file[LAM_SEGMENT_NAME_MAX + 1];
    int rc;

    lam_ring_clear(ring);
    lam_ring_data_file(file, options->name);
    rc = lam_segment_open(&ring->data, options->directory, file, options->access, error);
    if (rc == 0) {
        lam_ring_control_file(file, options->name);
        rc = lam_segment_open(&ring->control, options->directory, file,
            options->observe ? LAM_ACCESS_READ : LAM_ACCESS_WRITE, error);
    }
    if (rc == 0)
        rc = check_and_map(ring, options, error);
    if (rc != 0)
        lam_ring_detach(ring);
    return rc;
}

int lam_ring_attach(
    struct lam_ring *ring, const struct lam_ring_attach_options *options, struct lam_error *error)
{
    unsigned mixed_up = 0;
    int rc = check_access(options->access, error);

    lam_ring_clear(ring);
    if (rc != 0)
        return rc;
    if (options->name == NULL || options->name[0] == '\0' ||
        strlen(options->name) > LAM_RING_NAME_MAX || strchr(options->name, '/') != NULL)
        return lam_error_set(error, -EINVAL,
            "ring name \"%.60s\": is empty, has a '/' or more than %d bytes",
            options->name == NULL ? "" : options->name, LAM_RING_NAME_MAX);
    for (;;) {
        struct lam_error why = {{0}};
        int passing;

        rc = lam_ring_attach_once(ring, options, &why);
        if (rc == 0)
            return 0;
        /* A ring that is replaced while we look shows halves of both for a moment. */
        passing = rc == -ENOENT || rc == -EOWNERDEAD || (rc == -EPROTO && mixed_up++ < 3);
        if (!passing || lam_clock_now_ns() >= options->deadline_ns) {
            if (rc == -ENOENT)
                return lam_error_set(error, rc,
                    "ring %s: not there (%s): has the process that "
                    "makes it started?",
                    options->name, why.text);
            return lam_error_set(error, rc, "ring %s: %s", options->name, why.text);
        }
        (void)nanosleep(&(struct timespec){.tv_nsec = (long)APPEAR_POLL_NS}, NULL);
    }
}

/* What a peer gave us must not change its size, or the next look is a SIGBUS. */
static int check_seals(const struct lam_ring *ring, enum lam_access access, struct lam_error *error)
{
    if (!lam_segment_keeps_size(&ring->data) || !lam_segment_keeps_size(&ring->control))
        return lam_error_set(error, -EPROTO,
            "%s object: is not sealed against shrinking, so its giver could cut it short: a ring "
            "that is passed has no name (LAM_BACKING_MEMFD, LAM_BACKING_HUGE)",
            lam_segment_keeps_size(&ring->data) ? "control" : "data");
    if (access == LAM_ACCESS_WRITE && lam_segment_is_hardened(&ring->data))
        return lam_error_set(error, -EPERM,
            "the ring is hardened: only the process that made it, and its forked children, can "
            "produce; a successor makes a new ring and passes that to the consumers");
    return 0;
}

int lam_ring_attach_fds(struct lam_ring *ring, int data_fd, int control_fd,
    const struct lam_ring_attach_options *options, struct lam_error *error)
{
    int rc = check_access(options->access, error);

    lam_ring_clear(ring);
    if (rc == 0)
        rc = lam_segment_open_fd(&ring->data, data_fd, options->access, error);
    if (rc == 0)
        rc = lam_segment_open_fd(&ring->control, control_fd,
            options->observe ? LAM_ACCESS_READ : LAM_ACCESS_WRITE, error);
    if (rc == 0)
        rc = check_seals(ring, options->access, error);
    if (rc == 0)
        rc = check_and_map(ring, options, error);
    if (rc != 0)
        lam_ring_detach(ring);
    return rc;
}
