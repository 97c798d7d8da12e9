/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_INFERENCE_STOP_H
#define LAM_INFERENCE_STOP_H

/*
 * stop.h: whether this process was asked to end, by the topology or by a signal.
 */

#include "lamina/topology/topology.h"

/* Turn SIGTERM and SIGINT into an answer of stop_asked(), instead of a sudden end. */
void stop_init(void);

/* 1 once the topology is stopping or a signal came. */
int stop_asked(const struct lam_topology *topology);

#endif
