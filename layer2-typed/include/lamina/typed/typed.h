/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_TYPED_TYPED_H
#define LAM_TYPED_TYPED_H

/*
 * lamina/typed/typed.h: all of layer 2.
 *
 * Typed, layer 2. A channel that carries its type, and two ends that move values of it. It never
 * looks into a value: that is the codec's.
 */

#include "lamina/typed/channel.h"
#include "lamina/typed/envelope.h"
#include "lamina/typed/receiver.h"
#include "lamina/typed/sender.h"

#endif
