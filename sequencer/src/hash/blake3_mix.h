/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_SEQUENCER_BLAKE3_MIX_H
#define LAM_SEQUENCER_BLAKE3_MIX_H

/*
 * blake3_mix.h: what one block and eight blocks at once have in common. The macros work on words
 * and on vectors of words alike. Figures: section 2 of the paper that blake3.h names.
 */

#include <endian.h>
#include <stdint.h>

#define BLAKE3_ROUNDS 7
#define BLAKE3_LANES  8

#define BLAKE3_CHUNK_START 1u
#define BLAKE3_CHUNK_END   2u
#define BLAKE3_PARENT      4u
#define BLAKE3_ROOT        8u

#define BLAKE3_IV0 0x6a09e667u
#define BLAKE3_IV1 0xbb67ae85u
#define BLAKE3_IV2 0x3c6ef372u
#define BLAKE3_IV3 0xa54ff53au
#define BLAKE3_IV4 0x510e527fu
#define BLAKE3_IV5 0x9b05688cu
#define BLAKE3_IV6 0x1f83d9abu
#define BLAKE3_IV7 0x5be0cd19u

extern const uint32_t blake3_iv[8];

/* Which word of the message goes where, round by round. */
extern const uint8_t blake3_schedule[BLAKE3_ROUNDS][16];

#define BLAKE3_TURN(x, n) (((x) >> (n)) | ((x) << (32 - (n))))

#define BLAKE3_MIX(v, a, b, c, d, x, y)                                                            \
    do {                                                                                           \
        (v)[a] += (v)[b] + (x);                                                                    \
        (v)[d] = BLAKE3_TURN((v)[d] ^ (v)[a], 16);                                                 \
        (v)[c] += (v)[d];                                                                          \
        (v)[b] = BLAKE3_TURN((v)[b] ^ (v)[c], 12);                                                 \
        (v)[a] += (v)[b] + (y);                                                                    \
        (v)[d] = BLAKE3_TURN((v)[d] ^ (v)[a], 8);                                                  \
        (v)[c] += (v)[d];                                                                          \
        (v)[b] = BLAKE3_TURN((v)[b] ^ (v)[c], 7);                                                  \
    } while (0)

/* Columns, then diagonals. */
#define BLAKE3_ROUND(v, m, s)                                                                      \
    do {                                                                                           \
        BLAKE3_MIX(v, 0, 4, 8, 12, (m)[(s)[0]], (m)[(s)[1]]);                                      \
        BLAKE3_MIX(v, 1, 5, 9, 13, (m)[(s)[2]], (m)[(s)[3]]);                                      \
        BLAKE3_MIX(v, 2, 6, 10, 14, (m)[(s)[4]], (m)[(s)[5]]);                                     \
        BLAKE3_MIX(v, 3, 7, 11, 15, (m)[(s)[6]], (m)[(s)[7]]);                                     \
        BLAKE3_MIX(v, 0, 5, 10, 15, (m)[(s)[8]], (m)[(s)[9]]);                                     \
        BLAKE3_MIX(v, 1, 6, 11, 12, (m)[(s)[10]], (m)[(s)[11]]);                                   \
        BLAKE3_MIX(v, 2, 7, 8, 13, (m)[(s)[12]], (m)[(s)[13]]);                                    \
        BLAKE3_MIX(v, 3, 4, 9, 14, (m)[(s)[14]], (m)[(s)[15]]);                                    \
    } while (0)

static inline uint32_t blake3_little(uint32_t word)
{
    return le32toh(word);
}

/* Eight whole chunks that lie one behind the other, the first of them chunk @number. */
void blake3_chunks(const uint8_t *data, uint64_t number, uint32_t chains[BLAKE3_LANES][8]);

#endif
