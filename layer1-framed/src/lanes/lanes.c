/* SPDX-License-Identifier: Apache-2.0 */
/* Three rings as one: their shares, and opening all of them or none. */
#include "lamina/framed/lanes.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lamina/base/assert.h"
#include "lamina/base/crash_point.h"

#define DEPTH_MIN 2
#define DEPTH_MAX (UINT64_C(1) << 36)

static const uint8_t default_percent[LAM_LANE_COUNT] = {20, 50, 30};

const char *lam_lane_name(enum lam_lane lane)
{
    static const char *const names[] = {"critical", "high", "low", "all"};

    LAM_ASSERT((unsigned)lane <= LAM_LANE_COUNT);
    return names[lane];
}

/* Returns 0 with each lane's per cent, or -EINVAL. */
static int shares(
    const struct lam_lanes_options *options, const uint8_t **percent, struct lam_error *error)
{
    const uint8_t *asked = options->share_percent;

    *percent = asked;
    if (asked[0] + asked[1] + asked[2] == 0)
        *percent = default_percent;
    else if (asked[0] == 0 || asked[1] == 0 || asked[2] == 0 ||
             asked[0] + asked[1] + asked[2] != 100)
        return lam_error_set(error, -EINVAL,
            "share_percent is %u, %u and %u: each 1 or more, and 100 together, or all 0", asked[0],
            asked[1], asked[2]);
    return 0;
}

int lam_lanes_depths(const struct lam_lanes_options *options, uint64_t depths[LAM_LANE_COUNT],
    struct lam_error *error)
{
    uint64_t total = options->ring.depth == 0 ? LAM_RING_DEPTH_DEFAULT : options->ring.depth;
    const uint8_t *percent;
    int rc = shares(options, &percent, error);

    if (rc != 0)
        return rc;
    if (total > DEPTH_MAX)
        return lam_error_set(error, -EINVAL, "depth is %llu cells for all lanes: at most %llu",
            (unsigned long long)total, (unsigned long long)DEPTH_MAX);
    for (int lane = 0; lane < LAM_LANE_COUNT; lane++) {
        uint64_t share = (total * percent[lane] + 99) / 100;

        depths[lane] = DEPTH_MIN;
        while (depths[lane] < share)
            depths[lane] *= 2;
    }
    return 0;
}

/* The name of one lane's ring. Returns 0 or -EINVAL. */
static int name_of(
    const char *name, int lane, char text[LAM_RING_NAME_MAX + 1], struct lam_error *error)
{
    if (name == NULL || name[0] == '\0' || strlen(name) > LAM_LANES_NAME_MAX)
        return lam_error_set(error, -EINVAL,
            "the name of lanes is \"%.150s\": 1 to %d bytes, since \".critical\" is added",
            name == NULL ? "" : name, LAM_LANES_NAME_MAX);
    (void)snprintf(text, LAM_RING_NAME_MAX + 1, "%s.%s", name, lam_lane_name((enum lam_lane)lane));
    return 0;
}

int lam_lanes_bytes(
    const struct lam_lanes_options *options, uint64_t *total_bytes, struct lam_error *error)
{
    uint64_t depths[LAM_LANE_COUNT];
    struct lam_ring_options ring = options->ring;
    int rc = lam_lanes_depths(options, depths, error);

    *total_bytes = 0;
    for (int lane = 0; rc == 0 && lane < LAM_LANE_COUNT; lane++) {
        uint64_t bytes = 0;

        ring.depth = depths[lane];
        rc = lam_ring_bytes(&ring, &bytes, error);
        *total_bytes += bytes;
    }
    return rc;
}

/* Nothing is open: a detach does nothing. */
static void blank(struct lam_lanes *lanes)
{
    memset(lanes, 0, sizeof(*lanes));
    for (int lane = 0; lane < LAM_LANE_COUNT; lane++) {
        lanes->rings[lane].data.fd = -1;
        lanes->rings[lane].control.fd = -1;
        lanes->rings[lane].creator.fd = -1;
    }
}

int lam_lanes_create(
    struct lam_lanes *lanes, const struct lam_lanes_options *options, struct lam_error *error)
{
    uint64_t depths[LAM_LANE_COUNT];
    struct lam_ring_options ring = options->ring;
    char name[LAM_RING_NAME_MAX + 1];
    int rc = lam_lanes_depths(options, depths, error);
    int lane;

    blank(lanes);
    for (lane = 0; rc == 0 && lane < LAM_LANE_COUNT; lane++) {
        rc = name_of(options->ring.name, lane, name, error);
        if (rc != 0)
            return rc; /* of the first one: it has the same name */
        ring.name = name;
        ring.depth = depths[lane];
        rc = lam_ring_create(&lanes->rings[lane], &ring, error);
        LAM_CRASH_POINT("lanes.one_created");
    }
    if (rc == 0)
        return 0;
    /* The last that was begun has undone itself. What was there before (keep) is not ours. */
    for (lane = lane - 2; lane >= 0; lane--)
        if (options->ring.keep)
            lam_ring_detach(&lanes->rings[lane]);
        else
            (void)lam_ring_destroy(&lanes->rings[lane]);
    return rc;
}

int lam_lanes_attach(
    struct lam_lanes *lanes, const struct lam_ring_attach_options *options, struct lam_error *error)
{
    struct lam_ring_attach_options ring = *options;
    char name[LAM_RING_NAME_MAX + 1];
    int rc = 0;

    blank(lanes);
    ring.name = name;
    for (int lane = 0; rc == 0 && lane < LAM_LANE_COUNT; lane++) {
        rc = name_of(options->name, lane, name, error);
        if (rc == 0)
            rc = lam_ring_attach(&lanes->rings[lane], &ring, error);
    }
    if (rc != 0)
        lam_lanes_detach(lanes);
    return rc;
}

int lam_lanes_attach_fds(struct lam_lanes *lanes, const int data_fds[LAM_LANE_COUNT],
    const int control_fds[LAM_LANE_COUNT], const struct lam_ring_attach_options *options,
    struct lam_error *error)
{
    int rc = 0;

    blank(lanes);
    for (int lane = 0; rc == 0 && lane < LAM_LANE_COUNT; lane++)
        rc = lam_ring_attach_fds(
            &lanes->rings[lane], data_fds[lane], control_fds[lane], options, error);
    if (rc != 0)
        lam_lanes_detach(lanes);
    return rc;
}

void lam_lanes_detach(struct lam_lanes *lanes)
{
    for (int lane = 0; lane < LAM_LANE_COUNT; lane++)
        lam_ring_detach(&lanes->rings[lane]);
}

int lam_lanes_destroy(struct lam_lanes *lanes)
{
    int rc = 0;

    /* Low first: while there is a critical one, no other lanes can take the name. */
    for (int lane = LAM_LANE_COUNT - 1; lane >= 0; lane--) {
        int one = lam_ring_destroy(&lanes->rings[lane]);

        LAM_CRASH_POINT("lanes.one_destroyed");
        rc = rc == 0 ? one : rc;
    }
    return rc;
}
