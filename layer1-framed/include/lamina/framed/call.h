/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_FRAMED_CALL_H
#define LAM_FRAMED_CALL_H

/*
 * lamina/framed/call.h: requests and replies, both ends.
 *
 * Framed, layer 1. lamina/framed/scatter.h asks many at once, lamina/framed/service.h serves many
 * channels by one wait.
 */

#include "lamina/framed/call_message.h"
#include "lamina/framed/caller.h"
#include "lamina/framed/responder.h"

#endif
