/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A required consumer is found by name, watched by lock and cursor, and told of when it fails.
 *
 * The clock of a consumer that has something to read starts when that is first seen, not when it
 * last moved: a look finds an idle one behind the instant a burst has come, and that is no stall.
 */
#include "count.h"
#include "lamina/ring/required.h"
#include "layout.h"
#include "producer_internal.h"

/*
 * What is to be said of @one now. Sets index and cursor; since_ns is when it began, 0 where it has
 * nothing to read.
 */
static enum lam_ring_alarm judge(struct lam_ring_producer *producer, uint32_t i, uint64_t now_ns)
{
    const struct lam_ring_required *required = producer->required;
    struct lam_ring_required_one *one = &producer->required->ones[i];
    struct lam_ring_entry *entry;
    enum lam_ring_entry_state state;
    uint64_t cursor;

    one->index = lam_ring_producer_find(producer, required->options.names[i]);
    if (one->index == UINT32_MAX)
        return one->came ? LAM_RING_ALARM_DEAD : LAM_RING_ALARM_MISSING;
    entry = &producer->ring->control_head->entries[one->index];
    one->word = lam_load_acquire(&entry->state); /* A4 */
    state = lam_ring_entry_state_of(one->word);
    if (lam_ring_required_keep(producer, one->index))
        one->came = 1;
    if (!lam_ring_producer_sees_alive(producer, one->index) ||
        (state != LAM_RING_ENTRY_GATING && state != LAM_RING_ENTRY_EVICTED))
        return one->came ? LAM_RING_ALARM_DEAD : LAM_RING_ALARM_MISSING;
    if (state == LAM_RING_ENTRY_EVICTED)
        return LAM_RING_ALARM_STALLED;
    cursor = lam_load_acquire(&entry->cursor); /* A2 */
    if (cursor == producer->next)
        one->since_ns = 0;
    else if (cursor != one->cursor || one->since_ns == 0 || one->alarm == LAM_RING_ALARM_DEAD)
        one->since_ns = now_ns;
    one->cursor = cursor;
    return one->since_ns != 0 && now_ns - one->since_ns >= required->options.progress_ns
               ? LAM_RING_ALARM_STALLED
               : LAM_RING_ALARM_NONE;
}

static void alert(const struct lam_ring_required *required, uint32_t i, enum lam_ring_alarm alarm,
    int is_over, uint64_t lasted_ns)
{
    struct lam_ring_alert alert = {.name = required->options.names[i],
        .alarm = alarm,
        .is_over = is_over,
        .cursor = required->ones[i].cursor,
        .lasted_ns = lasted_ns};

    if (required->options.alert != NULL)
        required->options.alert(required->options.context, &alert);
}

/* Raise, change or end the alarm of one of them. */
static void sound(
    struct lam_ring_producer *producer, uint32_t i, enum lam_ring_alarm alarm, uint64_t now_ns)
{
    struct lam_ring_required *required = producer->required;
    struct lam_ring_control *control = producer->ring->control_head;
    struct lam_ring_required_one *one = &required->ones[i];
    enum lam_ring_alarm before = one->alarm;
    uint64_t since_ns = alarm == LAM_RING_ALARM_MISSING ? required->started_ns : one->since_ns;

    if (alarm == LAM_RING_ALARM_MISSING && now_ns - since_ns < required->options.startup_ns)
        return;
    if (alarm == LAM_RING_ALARM_DEAD && before != LAM_RING_ALARM_DEAD)
        one->since_ns = since_ns = now_ns;
    if (alarm == before)
        return;
    one->alarm = alarm;
    if (alarm == LAM_RING_ALARM_NONE) {
        one->given_up = 0;
        required->standing--;
        lam_ring_count(&control->recoveries);
        alert(required, i, before, 1, now_ns - one->alarm_ns);
        return;
    }
    if (before == LAM_RING_ALARM_NONE) {
        one->alarm_ns = now_ns; /* the grace runs from here, whatever becomes of it */
        required->standing++;
        lam_ring_count(&control->alarms);
    }
    alert(required, i, alarm, 0, now_ns - (since_ns == 0 ? now_ns : since_ns));
}

void lam_ring_required_watch(struct lam_ring_producer *producer, uint32_t i, uint64_t now_ns)
{
    struct lam_ring_required_one *one = &producer->required->ones[i];
    uint64_t word = one->word;
    enum lam_ring_alarm alarm = judge(producer, i, now_ns);

    /* Another one of that name has come and died since: its grace is one of its own. */
    if (alarm == LAM_RING_ALARM_DEAD && one->alarm == alarm && one->word != word && !one->given_up)
        sound(producer, i, LAM_RING_ALARM_NONE, now_ns);
    sound(producer, i, alarm, now_ns);
}
