/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_BENCH_PEERS_CHART_H
#define LAM_BENCH_PEERS_CHART_H

/*
 * peers_chart.h: the picture of layer 1 beside the transports of others.
 */

#include "chart.h"
#include "subject.h"

extern const struct bench_chart peers_chart;

/* Layer 1 as a subject; NULL where the installed package has none. */
extern const struct bench_subject *const bench_peers_framed;

#endif
