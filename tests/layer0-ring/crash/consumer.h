/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_TEST_CRASH_CONSUMER_H
#define LAM_TEST_CRASH_CONSUMER_H

/*
 * consumer.h: the parts of the scene in which a consumer dies.
 */

#include "crash.h"

#define CRASH_CONSUMER_NAME "victim"

/* What children do: see consumer_peer.c. */
void crash_consumer_peer(void);
void crash_consumer_predecessor(void);
void crash_consumer_follower(void);

/* Where the dead stopped: @number is the first that its heir got, having lost @lost. */
void crash_check_place(uint64_t number, uint64_t lost);

#endif
