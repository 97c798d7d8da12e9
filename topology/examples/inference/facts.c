/* SPDX-License-Identifier: Apache-2.0 */
/*
 * facts.c: /proc/self/smaps has the size of the pages behind a mapping, /proc/self/numa_maps the
 * nodes that they are on.
 */

#include "facts.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *waiting_name(enum lam_wait_mode asked, enum lam_wait_mode used)
{
    if (asked == LAM_WAIT_HYBRID && used == LAM_WAIT_FUTEX)
        return "futex (hybrid, and fewer cores than ends)";
    switch (used) {
    case LAM_WAIT_HYBRID:
        return "hybrid (spin, then futex)";
    case LAM_WAIT_SPIN:
        return "spin";
    case LAM_WAIT_YIELD:
        return "yield";
    case LAM_WAIT_FUTEX:
        return "futex";
    }
    return "unknown";
}

/* Find the mapping around @address in /proc/self/smaps: its start, and its KernelPageSize or 0. */
static uint64_t page_bytes_at(uintptr_t address, uintptr_t *start)
{
    FILE *maps = fopen("/proc/self/smaps", "re");
    uint64_t found = 0;
    int inside = 0;
    char line[512];

    *start = 0;
    if (maps == NULL)
        return 0;
    while (found == 0 && fgets(line, sizeof(line), maps) != NULL) {
        uint64_t kibibytes;
        uintptr_t from, to;

        if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " ", &from, &to) == 2) {
            inside = from <= address && address < to;
            *start = inside ? from : *start;
        } else if (inside && sscanf(line, "KernelPageSize: %" SCNu64, &kibibytes) == 1) {
            found = kibibytes * 1024;
        }
    }
    (void)fclose(maps);
    return found;
}

/* The nodes in a line of numa_maps: words of the form N0=512. */
static void copy_nodes(char *line, char *text, size_t bytes)
{
    char *rest = NULL;
    size_t length = 0;

    text[0] = '\0';
    for (char *word = strtok_r(line, " \n", &rest); word; word = strtok_r(NULL, " \n", &rest)) {
        unsigned node;

        if (sscanf(word, "N%u=", &node) == 1 && length < bytes)
            length += (size_t)snprintf(
                text + length, bytes - length, length == 0 ? "node %u" : ", %u", node);
    }
}

/* The nodes of the mapping that begins at @address. */
static void placement_at(uintptr_t address, char *text, size_t bytes)
{
    FILE *maps = fopen("/proc/self/numa_maps", "re");
    char line[1024];

    text[0] = '\0';
    while (maps != NULL && fgets(line, sizeof(line), maps) != NULL) {
        uintptr_t start;

        if (sscanf(line, "%" SCNxPTR " ", &start) == 1 && start == address) {
            copy_nodes(line, text, bytes);
            break;
        }
    }
    if (maps != NULL)
        (void)fclose(maps);
    if (text[0] == '\0')
        (void)snprintf(text, bytes, "%s", maps == NULL ? "one node" : "unknown");
}

void ring_facts_gather(
    struct ring_facts *facts, const struct lam_ring *ring, const struct lam_topology_edge *edge)
{
    uintptr_t start;
    const char *slash = strrchr(ring->data.path, '/');

    memset(facts, 0, sizeof(*facts));
    (void)snprintf(
        facts->name, sizeof(facts->name), "%.*s", (int)sizeof(facts->name) - 1, ring->name);
    if (slash != NULL)
        (void)snprintf(facts->backing, sizeof(facts->backing), "named, %.*s",
            (int)(slash - ring->data.path), ring->data.path);
    else
        (void)snprintf(facts->backing, sizeof(facts->backing), "no name");
    facts->waiting = waiting_name(edge->asked, edge->wait);
    facts->page_bytes = page_bytes_at((uintptr_t)ring->cells, &start);
    facts->cells = ring->depth;
    facts->cell_bytes = UINT32_C(1) << ring->cell_shift;
    placement_at(start, facts->placement, sizeof(facts->placement));
}
