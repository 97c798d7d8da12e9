/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAM_TEST_CONFIG_TABLE_H
#define LAM_TEST_CONFIG_TABLE_H

/* config_table.h: a table with one row of each kind, for the tests of the reader. */

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "lamina/config/config.h"

static const char *const colours[] = {"red", "green", "blue", NULL};
static const char *const automatic[] = {"auto", NULL};

static const struct lam_config_field text_item = {
    .key = "item", .kind = LAM_CONFIG_TEXT, .doc = "any text", .max = 8};

static const struct lam_config_field box_fields[] = {{.key = "depth",
                                                         .kind = LAM_CONFIG_NUMBER,
                                                         .flags = LAM_CONFIG_POWER_OF_TWO,
                                                         .fallback = "16",
                                                         .doc = "cells",
                                                         .min = 2,
                                                         .max = 1024},
    {.key = "owner", .kind = LAM_CONFIG_NAME, .flags = LAM_CONFIG_REQUIRED, .doc = "who has it"},
    {0}};

static const struct lam_config_field box = {
    .key = "box", .kind = LAM_CONFIG_RECORD, .fields = box_fields};

static const struct lam_config_field demo_fields[] = {
    {.key = "name", .kind = LAM_CONFIG_NAME, .doc = "a name"},
    {.key = "count",
        .kind = LAM_CONFIG_NUMBER,
        .fallback = "auto",
        .doc = "how many",
        .min = 1,
        .max = 64,
        .words = automatic},
    {.key = "size", .kind = LAM_CONFIG_BYTES, .fallback = "4KiB", .doc = "room", .max = 1 << 20},
    {.key = "pause", .kind = LAM_CONFIG_DURATION, .fallback = "10ms", .doc = "a pause"},
    {.key = "quick", .kind = LAM_CONFIG_FLAG, .fallback = "false", .doc = "in a hurry"},
    {.key = "colour", .kind = LAM_CONFIG_WORD, .doc = "of the box", .words = colours},
    {.key = "command",
        .kind = LAM_CONFIG_LIST,
        .doc = "what to run",
        .min = 1,
        .max = 3,
        .fields = &text_item},
    {.key = "boxes", .kind = LAM_CONFIG_MAP, .doc = "by name", .fields = &box}, {0}};

static const struct lam_config_field demo = {
    .key = "demo", .kind = LAM_CONFIG_RECORD, .fields = demo_fields};

/* Reads and checks @text as "t.yaml"; the caller destroys the config. */
static inline struct lam_config *demo_read(const char *text, size_t bytes)
{
    struct lam_config *config;

    cr_assert(eq(int, lam_config_create(&config, &demo), 0));
    if (lam_config_read_text(config, "t.yaml", text, bytes) == 0)
        (void)lam_config_check(config);
    return config;
}

#endif
