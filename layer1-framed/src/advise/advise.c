/* SPDX-License-Identifier: Apache-2.0 */
/* From what was seen of a channel to the cell, depth and bound that fit. */
#include "lamina/framed/advise.h"

#include <errno.h>

#include "frame.h"
#include "lamina/framed/message.h"
#include "lamina/ring/ring.h"

#define CELL_BYTES_MIN 64
#define DEPTH_MIN      8
#define DEPTH_MAX      (UINT64_C(1) << 36)
/* Of a ring just to have messages in place; above it they go in frames of a quarter of this. */
#define FRAMES_RING_BYTES   (UINT64_C(1) << 20)
#define IN_PLACE_RING_BYTES (UINT64_C(1) << 24)
/* Messages so much larger than almost all others do not size the ring. */
#define RARE_TIMES 4

static uint32_t cell_of(int size)
{
    return (uint32_t)CELL_BYTES_MIN << size;
}

/* Cells of an event of @bytes behind its header. */
static uint64_t cells_for(uint64_t bytes, uint32_t cell_bytes)
{
    return (bytes + LAM_EVENT_HEADER_BYTES + cell_bytes - 1) / cell_bytes;
}

static uint64_t power_of_two_from(uint64_t least)
{
    uint64_t power = 1;

    while (power < least)
        power *= 2;
    return power;
}

/* 0 for nothing, else 1 for 1, 2 for 2 and 3, and so on. */
static int class_of(uint64_t bytes)
{
    int class = bytes == 0 ? 0 : 64 - __builtin_clzll(bytes);

    return class < LAM_ADVISE_CLASS_COUNT ? class : LAM_ADVISE_CLASS_COUNT - 1;
}

static void see_message(struct lam_advise_seen *seen, uint64_t bytes)
{
    struct lam_advise_class *class = &seen->classes[class_of(bytes)];

    seen->messages++;
    if (bytes > seen->bytes_max)
        seen->bytes_max = bytes;
    class->messages++;
    class->bytes += bytes;
    for (int size = 0; size < LAM_ADVISE_CELL_COUNT; size++)
        class->cells[size] += cells_for(bytes, cell_of(size));
    lam_histogram_record(&seen->sizes, bytes);
}

/* The frame that @event is, as far as its bytes are at hand. Returns 0: it is none. */
static int look_at_frame(
    const struct lam_event *event, const void *bytes, uint64_t at_hand, struct frame *frame)
{
    struct lam_event copy = *event;

    copy.payload = bytes;
    if (event->kind != LAM_FRAMED_KIND_FRAME || !lam_event_is_sound(event) ||
        lam_event_extension_bytes(event->flags) + LAM_FRAME_HEADER_BYTES > at_hand)
        return 0;
    return lam_frame_load(&copy, frame) && frame->total <= LAM_FRAMED_MESSAGE_BYTES_MAX;
}

void lam_advise_see(struct lam_advise_seen *seen, const struct lam_event *event, const void *bytes,
    uint64_t at_hand)
{
    struct frame frame;

    seen->events++;
    seen->cells_now += cells_for(event->payload_bytes, seen->cell_bytes);
    if (!look_at_frame(event, bytes, at_hand, &frame)) {
        see_message(seen, event->payload_bytes);
        return;
    }
    seen->frames++;
    if ((frame.flags & LAM_EVENT_FIRST_FRAME) == 0)
        return;
    seen->framed_messages++;
    see_message(seen, frame.total + lam_event_extension_bytes(frame.flags));
}

/* @part of @whole in thousandths. */
static uint32_t per_mille(uint64_t part, uint64_t whole)
{
    return whole == 0 ? 0 : (uint32_t)((double)part / (double)whole * 1000);
}

/* All messages of up to about @bytes, as one class. */
static struct lam_advise_class sum_up(const struct lam_advise_seen *seen, uint64_t bytes)
{
    struct lam_advise_class sum = {0};
    int last = class_of(bytes);

    for (int at = 0; at <= last; at++) {
        sum.messages += seen->classes[at].messages;
        sum.bytes += seen->classes[at].bytes;
        for (int size = 0; size < LAM_ADVISE_CELL_COUNT; size++)
            sum.cells[size] += seen->classes[at].cells[size];
    }
    return sum;
}

/* Of the bytes of @cell_count cells, what is neither message nor header. */
static uint32_t waste(uint64_t bytes, uint64_t headers, uint64_t cell_count, uint32_t cell_bytes)
{
    uint64_t taken = cell_count * cell_bytes;
    uint64_t of_use = bytes + headers * LAM_EVENT_HEADER_BYTES;

    return of_use < taken ? per_mille(taken - of_use, taken) : 0;
}

static uint64_t quantile(const struct lam_advise_seen *seen, uint32_t thousandths)
{
    uint64_t bytes = 0;

    (void)lam_histogram_quantile(&seen->sizes, thousandths, &bytes);
    return bytes < seen->bytes_max ? bytes : seen->bytes_max; /* it is a bucket's top */
}

/* The largest message that counts: a few much larger ones do not size the ring. */
static uint64_t usual_bytes_max(const struct lam_advise_seen *seen)
{
    uint64_t p99 = quantile(seen, 990);

    return seen->bytes_max / RARE_TIMES > p99 ? p99 : seen->bytes_max;
}

/* Cells of half a ring for the messages that are to lie in place, twice. */
static uint64_t depth_for_size(const struct lam_advise_seen *seen, uint32_t cell_bytes)
{
    uint64_t bytes = usual_bytes_max(seen);

    /* Too large for that: they go in frames. */
    if (bytes > IN_PLACE_RING_BYTES / 2 - LAM_EVENT_HEADER_BYTES)
        return FRAMES_RING_BYTES / cell_bytes;
    return 2 * cells_for(bytes, cell_bytes);
}

/* Twice the most that was in use, in the new cells, @scale for each; one more is always free. */
static uint64_t depth_for_bursts(
    const struct lam_advise_seen *seen, double scale, struct lam_advice *advice)
{
    double depth = 2 * (double)seen->used_cells_max * scale + 1;

    if (seen->used_cells_max == 0) {
        /* As much room as there is: nothing says that less would do. */
        advice->reasons |= LAM_ADVISE_FULLNESS_UNKNOWN;
        depth = (double)seen->depth * scale;
    }
    return depth > (double)DEPTH_MAX ? DEPTH_MAX : (uint64_t)depth;
}

static void choose_depth(
    const struct lam_advise_seen *seen, uint64_t cells, struct lam_advice *advice)
{
    uint64_t bursts = depth_for_bursts(seen, (double)cells / (double)seen->cells_now, advice);
    uint64_t size = depth_for_size(seen, advice->cell_bytes);
    uint64_t least = bursts > size ? bursts : size;
    uint64_t half_bytes;

    advice->reasons |= bursts >= size ? LAM_ADVISE_FOR_BURSTS : LAM_ADVISE_FOR_SIZE;
    advice->depth = power_of_two_from(least < DEPTH_MIN ? DEPTH_MIN : least);
    if (seen->full != 0)
        advice->reasons |= LAM_ADVISE_WAS_FULL;
    if (seen->blocked_ns > seen->watched_ns / 2)
        advice->reasons |= LAM_ADVISE_RECEIVER_SLOW;
    half_bytes = advice->depth / 2 * advice->cell_bytes - LAM_EVENT_HEADER_BYTES;
    if (seen->bytes_max > half_bytes) {
        advice->reasons |= LAM_ADVISE_FRAMES_STAY;
        advice->message_bytes_max = power_of_two_from(seen->bytes_max);
    }
}

static uint64_t ring_bytes(uint64_t depth, uint32_t cell_bytes)
{
    const struct lam_ring_options options = {
        .name = "advice", .depth = depth, .cell_bytes = cell_bytes};
    uint64_t bytes = 0;

    return lam_ring_bytes(&options, &bytes, NULL) == 0 ? bytes : 0;
}

/* Which of the sizes @cell_bytes is, or -EINVAL. */
static int size_of(uint32_t cell_bytes)
{
    for (int size = 0; size < LAM_ADVISE_CELL_COUNT; size++)
        if (cell_of(size) == cell_bytes)
            return size;
    return -EINVAL;
}

int lam_advise_cells(
    const struct lam_advise_seen *seen, uint32_t cell_bytes, struct lam_advice *advice)
{
    struct lam_advise_class all = sum_up(seen, UINT64_MAX);
    int size = size_of(cell_bytes);

    *advice = (struct lam_advice){.cell_bytes = cell_bytes};
    if (size < 0 || size_of(seen->cell_bytes) < 0 || seen->depth < 2 || seen->depth > DEPTH_MAX)
        return -EINVAL;
    if (seen->messages == 0 || seen->cells_now == 0)
        return -ENODATA;
    advice->bytes_p50 = quantile(seen, 500);
    advice->bytes_p99 = quantile(seen, 990);
    if (cell_bytes > seen->cell_bytes)
        advice->reasons |= LAM_ADVISE_CELL_LARGER;
    else if (cell_bytes < seen->cell_bytes)
        advice->reasons |= LAM_ADVISE_CELL_SMALLER;
    choose_depth(seen, all.cells[size], advice);
    advice->ring_bytes = ring_bytes(advice->depth, cell_bytes);
    advice->ring_bytes_now = ring_bytes(seen->depth, seen->cell_bytes);
    advice->waste_per_mille = waste(all.bytes, seen->messages, all.cells[size], cell_bytes);
    advice->waste_per_mille_now = waste(all.bytes, seen->events, seen->cells_now, seen->cell_bytes);
    return 0;
}

int lam_advise(const struct lam_advise_seen *seen, struct lam_advice *advice)
{
    struct lam_advise_class usual = sum_up(seen, usual_bytes_max(seen));
    uint64_t least_bytes = UINT64_MAX;
    int best = 0;

    for (int size = 0; size < LAM_ADVISE_CELL_COUNT; size++)
        if (usual.cells[size] * cell_of(size) < least_bytes)
            least_bytes = usual.cells[size] * cell_of(size);
    /* The largest that takes at most a tenth more. */
    for (int size = 0; size < LAM_ADVISE_CELL_COUNT; size++)
        if (usual.cells[size] * cell_of(size) <= least_bytes + least_bytes / 10)
            best = size;
    return lam_advise_cells(seen, cell_of(best), advice);
}
