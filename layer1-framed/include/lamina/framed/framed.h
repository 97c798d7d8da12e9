/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_FRAMED_FRAMED_H
#define LAM_FRAMED_FRAMED_H

/*
 * lamina/framed/framed.h: all of layer 1.
 *
 * Framed, layer 1. A channel is a ring: made, named and attached by lamina/ring/ring.h. Here are
 * its two ends for messages of any length. Nothing of this layer lies in shared memory but the
 * messages themselves.
 */

#include "lamina/framed/advise.h"
#include "lamina/framed/batch.h"
#include "lamina/framed/call.h"
#include "lamina/framed/client.h"
#include "lamina/framed/daemon.h"
#include "lamina/framed/endpoint.h"
#include "lamina/framed/lanes.h"
#include "lamina/framed/lanes_receiver.h"
#include "lamina/framed/lanes_sender.h"
#include "lamina/framed/lanes_turns.h"
#include "lamina/framed/many.h"
#include "lamina/framed/message.h"
#include "lamina/framed/pressure.h"
#include "lamina/framed/receiver.h"
#include "lamina/framed/required.h"
#include "lamina/framed/scatter.h"
#include "lamina/framed/sender.h"
#include "lamina/framed/service.h"
#include "lamina/framed/stream.h"
#include "lamina/framed/take.h"
#include "lamina/framed/window.h"

#endif
