/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_ENDPOINT_CONDUCT_H
#define LAM_ENDPOINT_CONDUCT_H

/*
 * conduct.h: what a daemon and a client agree on about their messages: extensions, pressure.
 */

#include "lamina/base/error.h"
#include "lamina/framed/pressure.h"

/* What options ask for. Returns 0, or -EINVAL; @error says which one is impossible. */
int lam_endpoint_check_conduct(uint16_t offered, uint16_t required, enum lam_pressure_answer answer,
    uint32_t pressure_max, struct lam_error *error);

#endif
