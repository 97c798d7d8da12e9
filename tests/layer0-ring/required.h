/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_TEST_REQUIRED_H
#define LAM_TEST_REQUIRED_H

/*
 * For suites about required consumers: who they are, and what the producer's alerts said.
 */

#include "one_ring.h"

static const char *const names[] = {"a", "b"};
static struct lam_ring_required required;

/* What the callback has seen. */
static struct {
    struct lam_ring_alert last;
    char name[LAM_RING_CONSUMER_NAME_MAX + 1];
    unsigned raised;
    unsigned over;
} alerts;

static inline void note_alert(void *context, const struct lam_ring_alert *alert)
{
    cr_assert(context == &alerts);
    alerts.last = *alert;
    (void)snprintf(alerts.name, sizeof(alerts.name), "%s", alert->name);
    alerts.raised += !alert->is_over;
    alerts.over += alert->is_over != 0;
}

#endif
