/* SPDX-License-Identifier: Apache-2.0 */
/* The doctor's module, in the program itself: there is no file of it that could be missing. */
#include "verbs.h"

__asm__(".pushsection .rodata\n"
        ".global doctor_image\n"
        ".balign 64\n"
        "doctor_image:\n"
        ".incbin \"" DOCTOR_MODULE "\"\n"
        ".global doctor_image_end\n"
        "doctor_image_end:\n"
        ".byte 0\n"
        ".popsection");
