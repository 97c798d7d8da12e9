/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_TESTS_SEQUENCER_PROOF_MEMORY_H
#define LAM_TESTS_SEQUENCER_PROOF_MEMORY_H

/*
 * memory.h: who asks for memory while a stage steps. The program is linked with --wrap for the
 * allocator's calls, so that they come by here, under a sanitizer too. One thread.
 */

#include <stdint.h>

/* What is asked for from now on is counted, or not. Returns how it was before. */
int memory_count(int is_counted);

/* How often anything was asked for while it was counted. */
uint64_t memory_calls(void);

#endif
