/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_ZEROCOPY_ZEROCOPY_H
#define LAM_ZEROCOPY_ZEROCOPY_H

/*
 * lamina/zerocopy/zerocopy.h: all of layer 3.
 *
 * Zero-copy, layer 3. A channel is made and checked by lamina/typed/channel.h; here are its two
 * ends that lend. It never copies a message, unless a receiver that trusts nobody asks for it.
 */

#include "lamina/typed/channel.h"
#include "lamina/zerocopy/receiver.h"
#include "lamina/zerocopy/sender.h"

#endif
