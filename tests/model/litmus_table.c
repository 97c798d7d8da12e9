/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What C11 allows, as RC11 (Lahav and others, 2017) reads it, of small programs: name, program, all
 * outcomes, and 1 where those end with the last values of x and y. litmus.c has the language.
 */
#include "litmus.h"

#include <stddef.h>

// clang-format off
const struct litmus litmus_tests[] = {
    /* Store buffering: only fences in both threads forbid that both miss the other's store. */
    {"SB relaxed", "Wx1 Ry | Wy1 Rx", "00 01 10 11", 0},
    {"SB release, acquire", "Wx1r Rya | Wy1r Rxa", "00 01 10 11", 0},
    {"SB fences seq_cst", "Wx1 Fs Ry | Wy1 Fs Rx", "01 10 11", 0},
    {"SB one fence seq_cst", "Wx1 Fs Ry | Wy1 Rx", "00 01 10 11", 0},
    {"SB fences release and acquire", "Wx1 Fr Fa Ry | Wy1 Fr Fa Rx", "00 01 10 11", 0},
    {"SB read-modify-writes of one word", "Wx1 Az1 Ry | Wy1 Az1 Rx", "0011 0111 1100 1101", 0},

    /* Message passing. */
    {"MP relaxed", "Wx1 Wy1 | Ry Rx", "00 01 10 11", 0},
    {"MP release, acquire", "Wx1 Wy1r | Rya Rx", "00 01 11", 0},
    {"MP release alone", "Wx1 Wy1r | Ry Rx", "00 01 10 11", 0},
    {"MP acquire alone", "Wx1 Wy1 | Rya Rx", "00 01 10 11", 0},
    {"MP fences", "Wx1 Fr Wy1 | Ry Fa Rx", "00 01 11", 0},
    {"MP fence, acquire", "Wx1 Fr Wy1 | Rya Rx", "00 01 11", 0},
    {"MP release, fence", "Wx1 Wy1r | Ry Fa Rx", "00 01 11", 0},
    {"MP fences seq_cst", "Wx1 Fs Wy1 | Ry Fs Rx", "00 01 11", 0},
    {"MP a fence too early", "Fr Wx1 Wy1 | Ry Fa Rx", "00 01 10 11", 0},
    {"MP a fence too late", "Wx1 Fr Wy1 | Ry Rx Fa", "00 01 10 11", 0},

    /* Release sequences: through modifications by others, not through later stores. */
    {"release sequence through an add", "Wx1 Wy1r | Ay1 | Rya ?2 Rx", "00- 01- 10- 11- 121", 0},
    {"no release sequence through a store", "Wx1 Wy1r Wy2 | Rya ?2 Rx", "0- 1- 20 21", 0},

    /* Load buffering is not modelled: a load never takes what is stored later. */
    {"LB relaxed, never shown", "Rx Wy1 | Ry Wx1", "00 01 10", 0},
    {"LB release, acquire", "Rxa Wy1r | Rya Wx1r", "00 01 10", 0},

    /* Independent reads of independent writes. */
    {"IRIW relaxed", "Wx1 | Wy1 | Rx Ry | Ry Rx",
        "0000 0001 0010 0011 0100 0101 0110 0111 1000 1001 1010 1011 1100 1101 1110 1111", 0},
    {"IRIW acquire", "Wx1r | Wy1r | Rxa Rya | Rya Rxa",
        "0000 0001 0010 0011 0100 0101 0110 0111 1000 1001 1010 1011 1100 1101 1110 1111", 0},
    {"IRIW fences seq_cst", "Wx1 | Wy1 | Rx Fs Ry | Ry Fs Rx",
        "0000 0001 0010 0011 0100 0101 0110 0111 1000 1001 1011 1100 1101 1110 1111", 0},

    /* Coherence: one word has one order. */
    {"CoRR", "Wx1 | Rx Rx", "00 01 11", 0},
    {"CoRR two writers", "Wx1 | Wx2 | Rx Rx | Rx Rx",
        "0000 0001 0002 0011 0012 0021 0022 0100 0101 0102 0111 0112 0121 0122 0200 0201 0202 0211 "
        "0212 0221 0222 1100 1101 1102 1111 1112 1121 1122 1200 1201 1202 1211 1212 1222 2100 2101 "
        "2102 2111 2121 2122 2200 2201 2202 2211 2212 2221 2222",
        0},
    {"CoWR", "Wx1 Rx | Wx2", "1 2", 0},
    {"CoRW", "Rx Wx1 | Wx2", "010 020 210", 1},
    {"CoWW", "Wx1 Wx2", "20", 1},
    {"a modification takes the newest", "Ax1 | Ax1", "0120 1020", 1},
    {"a modification leaves no gap", "Ax1 | Wx2", "020 230", 1},
    {"swaps: one wins", "Cx01 | Cx02", "0110 2020", 1},

    /* Stores whose order nobody sees: only fences forbid that both words end with the first one. */
    {"2+2W relaxed", "Wx1 Wy2 | Wy1 Wx2", "11 12 21 22", 1},
    {"2+2W release", "Wx1 Wy2r | Wy1 Wx2r", "11 12 21 22", 1},
    {"2+2W fences seq_cst", "Wx1 Fs Wy2 | Wy1 Fs Wx2", "12 21 22", 1},

    {"S relaxed", "Wx2 Wy1 | Ry Wx1", "011 021 111 121", 1},
    {"S release, acquire", "Wx2 Wy1r | Rya Wx1", "011 021 111", 1},
    {"S fences", "Wx2 Fr Wy1 | Ry Fa Wx1", "011 021 111", 1},

    {"R relaxed", "Wx1 Wy1 | Wy2 Rx", "011 012 111 112", 1},
    {"R release, acquire", "Wx1 Wy1r | Wy2r Rxa", "011 012 111 112", 1},
    {"R fences seq_cst", "Wx1 Fs Wy1 | Wy2 Fs Rx", "011 111 112", 1},

    /* Causality over three threads. */
    {"WRC relaxed", "Wx1 | Rx ?1 Wy1 | Ry ?1 Rx", "00- 10- 110 111", 0},
    {"WRC release, acquire", "Wx1 | Rxa ?1 Wy1r | Rya ?1 Rx", "00- 10- 111", 0},
    {"WRC fences seq_cst", "Wx1 | Rx ?1 Fs Wy1 | Ry ?1 Fs Rx", "00- 10- 111", 0},
    {"ISA2 relaxed", "Wx1 Wy1 | Ry ?1 Wz1 | Rz ?1 Rx", "00- 10- 110 111", 0},
    {"ISA2 release, acquire", "Wx1 Wy1r | Rya ?1 Wz1r | Rza ?1 Rx", "00- 10- 111", 0},
    {"RWC relaxed", "Wx1 | Rx Ry | Wy1 Rx", "000 001 010 011 100 101 110 111", 0},
    {"RWC fences seq_cst", "Wx1 | Rx Fs Ry | Wy1 Fs Rx", "000 001 010 011 101 110 111", 0},
    {"W+RWC fences", "Wx1 Wz1r | Rza ?1 Fs Ry | Wy1 Fs Rx", "0-0 0-1 101 110 111", 0},

    /* What is no atomic. */
    {"plain MP release, acquire", "Px1 Wy1r | Rya ?1 Qx", "0- 11", 0},
    {"plain MP fences", "Px1 Fr Wy1 | Ry ?1 Fa Qx", "0- 11", 0},
    {"plain MP relaxed", "Px1 Wy1 | Ry ?1 Qx", "race", 0},
    {"plain MP relaxed store", "Px1 Wy1 | Rya ?1 Qx", "race", 0},
    {"plain read before a store", "Qx Wy1r | Rya ?1 Px1", "00 01", 0},
    {"plain read beside a store", "Qx Wy1 | Rya ?1 Px1", "race", 0},
    {"plain stores beside each other", "Px1 | Px2", "race", 0},
    {"seq_cst fences make no happens-before", "Px1 Fs Rz | Oz1 Fs Qx", "race", 0},
    {NULL, NULL, NULL, 0},
};
