#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Writes trace.csv, the sample trace, to standard output: 1,000 requests in about 75 seconds.
#
# Made by a formula, so that it is nobody's data and anybody can make it again: x' = 16807 x mod
# (2^31 - 1) from x = 20240229, draws are x mod 1000. Prompts and answers have a long tail, every
# 50th prompt has 6,000 tokens more, every 101st request generates nothing.
awk '
function draw() { x = (x * 16807) % 2147483647; return x % 1000 }
BEGIN {
    x = 20240229
    print "TIMESTAMP,ContextTokens,GeneratedTokens"
    for (n = 1; n <= 1000; n++) {
        ms += int(draw() * draw() * 3 / 10000)
        context = 16 + int(draw() * draw() * draw() / 400000)
        generated = 4 + int(draw() * draw() / 1000)
        if (n % 50 == 0) context += 6000
        if (n % 101 == 0) generated = 0
        s = int(ms / 1000)
        printf "2024-02-29 23:%02d:%02d.%03d,", 50 + int(s / 60), s % 60, ms % 1000
        printf "%d,%d\n", context, generated
    }
}'
