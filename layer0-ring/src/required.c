/* SPDX-License-Identifier: Apache-2.0 */
/* Required consumers: who they are, and what follows when one fails. Watched: required_watch.c. */
#include "lamina/ring/required.h"
#include "kill.h"
#include "lamina/base/crash_point.h"
#include "layout.h"
#include "producer_internal.h"
#include "settle.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static uint64_t or_default(uint64_t asked_ns, uint64_t default_ns)
{
    return asked_ns == 0 ? default_ns : asked_ns;
}

static int check_names(const struct lam_ring_required_options *options, struct lam_error *error)
{
    if (options->count == 0 || options->count > LAM_RING_CONSUMER_COUNT_MAX ||
        options->names == NULL || options->action > LAM_RING_FAIL_KILL)
        return lam_error_set(error, -EINVAL,
            "required consumers: %u names, action %d: 1 to %d names, and an action that there is",
            options->count, (int)options->action, LAM_RING_CONSUMER_COUNT_MAX);
    for (uint32_t i = 0; i < options->count; i++) {
        if (!lam_ring_is_consumer_name(options->names[i]))
            return lam_error_set(error, -EINVAL,
                "required consumers: name %u is empty or longer than %d bytes", i,
                LAM_RING_CONSUMER_NAME_MAX);
        for (uint32_t j = 0; j < i; j++)
            if (strcmp(options->names[i], options->names[j]) == 0)
                return lam_error_set(
                    error, -EINVAL, "required consumers: %s twice", options->names[i]);
    }
    return 0;
}

int lam_ring_producer_require(struct lam_ring_producer *producer,
    struct lam_ring_required *required, const struct lam_ring_required_options *options,
    struct lam_error *error)
{
    int rc = check_names(options, error);

    if (rc != 0)
        return rc;
    if (producer->required != NULL)
        return lam_error_set(error, -EALREADY, "this producer has a list of required consumers");
    memset(required, 0, sizeof(*required));
    required->options = *options;
    required->options.startup_ns = or_default(options->startup_ns, 5 * LAM_NS_PER_S);
    required->options.progress_ns = or_default(options->progress_ns, 250 * LAM_NS_PER_MS);
    required->options.check_ns = or_default(options->check_ns, 5 * LAM_NS_PER_MS);
    required->options.grace_ns = or_default(options->grace_ns, LAM_NS_PER_S);
    required->started_ns = lam_clock_now_ns();
    for (uint32_t i = 0; i < options->count; i++)
        required->ones[i].index = UINT32_MAX;
    producer->required = required;
    lam_ring_producer_hold(producer);
    return 0;
}

int lam_ring_required_keeps(
    const struct lam_ring_required *required, const struct lam_ring_entry *entry)
{
    for (uint32_t i = 0; i < required->options.count; i++)
        if (lam_ring_entry_is_named(entry, required->options.names[i]))
            return !required->ones[i].given_up;
    return 0;
}

static void fail_ring(struct lam_ring_producer *producer, uint32_t i, uint64_t now_ns)
{
    static const char *const what[] = {"fine", "missing", "stalled", "dead"};
    const struct lam_ring_required *required = producer->required;
    char reason[LAM_RING_FAILURE_MAX + 1];

    (void)snprintf(reason, sizeof(reason), "required consumer %s is %s, for %llu ms past its alarm",
        required->options.names[i], what[required->ones[i].alarm],
        (unsigned long long)((now_ns - required->ones[i].alarm_ns) / LAM_NS_PER_MS));
    lam_ring_producer_fail(producer, reason);
}

/* It lives, and is to be killed. Returns 0: it is dying, look again; or -ECANCELED. */
static int put_down(struct lam_ring_producer *producer, uint32_t index)
{
    struct lam_ring_control *control = producer->ring->control_head;
    int rc = lam_ring_kill(producer->ring, &control->entries[index].identity);

    return rc == 0 || rc == -ESRCH ? 0 : -ECANCELED;
}

/*
 * The grace of one of them is over. Returns 1: it is out of our way; 0: it soon will be; or
 * -ECANCELED.
 */
static int give_up(struct lam_ring_producer *producer, uint32_t i, uint64_t now_ns)
{
    struct lam_ring_required_one *one = &producer->required->ones[i];
    enum lam_ring_failure_action action = producer->required->options.action;
    uint64_t state;

    if (action == LAM_RING_FAIL_RING)
        fail_ring(producer, i, now_ns);
    if (action == LAM_RING_FAIL_CALL || action == LAM_RING_FAIL_RING)
        return -ECANCELED;
    if (one->index != UINT32_MAX && !lam_ring_producer_bury(producer, one->index)) {
        state = lam_load_acquire(&producer->ring->control_head->entries[one->index].state); /* A4 */
        if (lam_ring_entry_state_of(state) == LAM_RING_ENTRY_GATING && action == LAM_RING_FAIL_KILL)
            return put_down(producer, one->index);
        if (lam_ring_entry_state_of(state) == LAM_RING_ENTRY_GATING &&
            !lam_ring_producer_take_out(producer, one->index, state))
            return -ECANCELED; /* it lives and has no patience: it would read torn events */
    }
    LAM_CRASH_POINT("required.given_up");
    one->given_up = 1;
    return 1;
}

int lam_ring_required_look(struct lam_ring_producer *producer, uint64_t now_ns)
{
    struct lam_ring_required *required = producer->required;
    int rc = 0;

    if (now_ns < required->look_at_ns)
        return required->failing ? -ECANCELED : 0;
    required->look_at_ns = now_ns + required->options.check_ns;
    for (uint32_t i = 0; i < required->options.count; i++) {
        struct lam_ring_required_one *one = &required->ones[i];

        lam_ring_required_watch(producer, i, now_ns);
        if (one->alarm == LAM_RING_ALARM_NONE || one->given_up ||
            now_ns - one->alarm_ns < required->options.grace_ns)
            continue;
        switch (give_up(producer, i, now_ns)) {
        case 1:
            rc = rc == 0 ? 1 : rc;
            break;
        case 0:
            break;
        default:
            rc = -ECANCELED;
        }
    }
    required->failing = rc < 0;
    return rc;
}

int lam_ring_required_keep(struct lam_ring_producer *producer, uint32_t index)
{
    struct lam_ring_entry *entry = &producer->ring->control_head->entries[index];
    uint64_t word = lam_load_acquire(&entry->state); /* A4 */

    if (lam_ring_entry_state_of(word) != LAM_RING_ENTRY_GATING)
        return 0;
    lam_store_relaxed(&entry->required, 1); /* no other name gets its entry, too */
    LAM_CRASH_POINT("required.kept");
    lam_fence_seq_cst(); /* F13: who leaves sees that it is required, or we see that it leaves */
    word = lam_load_acquire(&entry->state); /* A4 */
    if (lam_ring_entry_state_of(word) != LAM_RING_ENTRY_GATING)
        return 0;
    if (lam_load_relaxed(&entry->leaving) != word)
        return 1;
    /* With its lock free it has left, or it stays as it is for good. */
    return !lam_ring_producer_sees_alive(producer, index) &&
           lam_load_acquire(&entry->state) == word;
}

int lam_ring_required_came(struct lam_ring_producer *producer)
{
    struct lam_ring_required *required = producer->required;

    if (required->all_came)
        return 1;
    for (uint32_t i = 0; i < required->options.count; i++) {
        struct lam_ring_required_one *one = &required->ones[i];
        uint32_t index;

        if (one->came || one->given_up)
            continue;
        index = lam_ring_producer_find(producer, required->options.names[i]);
        if (index == UINT32_MAX || !lam_ring_producer_sees_alive(producer, index) ||
            !lam_ring_required_keep(producer, index))
            return 0;
        one->came = 1;
    }
    required->all_came = 1;
    return 1;
}

int lam_ring_producer_check(struct lam_ring_producer *producer)
{
    int rc = 0;

    LAM_ASSERT(lam_lock_is_held(&producer->lock));
    if (producer->closed)
        return producer->failed ? -ECANCELED : -EPIPE;
    if (lam_load_relaxed(&producer->ring->control_head->poisoned) != 0)
        return -ENOTRECOVERABLE;
    if (producer->required == NULL)
        return 0;
    producer->required->look_at_ns = 0;
    rc = lam_ring_required_look(producer, lam_clock_now_ns());
    return rc < 0 ? rc : (int)producer->required->standing;
}
