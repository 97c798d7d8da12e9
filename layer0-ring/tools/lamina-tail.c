/* SPDX-License-Identifier: Apache-2.0 */
/* lamina tail --raw: events as they pass, by who holds nobody back. */
#include "tool.h"

#include "lamina/ring/observe.h"
#include "lamina/ring/stat.h"
#include "lamina/ring/timestamp.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHOWN_BYTES_MAX 65536
#define POLL_NS         (2 * LAM_NS_PER_MS)

static const char help[] =
    "usage: lamina tail RING [--raw] [--from oldest|head] [--count N] [--bytes N] [--once]\n"
    "                   [--directory DIRECTORY] [--json]\n"
    "\n"
    "Prints the events of a ring, one a line, as they are published: ordinal (events before it in\n"
    "the ring), sequence (number of its first cell), kind, flags, bytes, and the payload in hex\n"
    "and ASCII. Reads as a lossy consumer without a place in the ring: no end waits for it or\n"
    "sees it, and what it was too slow for is a line that says how many. RING is the ring's name,\n"
    "or the path of one of its two objects. Ends with the ring.\n"
    "\n"
    "  --raw         bytes as they are; the only way so far\n"
    "  --from        oldest: also what the ring still holds; head, by default: what comes\n"
    "  --count       end after so many events\n"
    "  --bytes       of each payload show so many, 0 to 65536; 32 by default\n"
    "  --once        end at what is there now\n"
    "  --directory   where named rings are, /dev/shm by default\n"
    "  --json        one JSON object a line\n"
    "\n"
    "exit: 0, 1 the output cannot be written, 2 wrong command line, 3 no such ring, 4 it makes no\n"
    "sense\n";

struct request {
    uint64_t count;
    uint64_t shown_bytes;
    int once;
    int json;
};

static uint8_t buffer[SHOWN_BYTES_MAX];

static void print_flags(uint16_t flags)
{
    static const char letters[] = "ctkfl"; /* correlation, time, checksum, first, last frame */

    for (unsigned bit = 0; bit < 5; bit++)
        (void)putchar(flags >> bit & 1 ? letters[bit] : '-');
    if (flags >> 5 != 0)
        (void)printf("+%x", flags >> 5 << 5);
}

static void print_hex(size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        (void)printf("%02x", buffer[i]);
}

static void print_event(
    const struct lam_event *event, uint64_t ordinal, const struct request *request)
{
    size_t bytes = event->payload_bytes < request->shown_bytes ? event->payload_bytes
                                                               : (size_t)request->shown_bytes;
    struct lam_event shown = *event;
    uint64_t at_ns;
    int timed;

    (void)printf("%" PRIu64 " %" PRIu64 " %04x ", ordinal, event->sequence, event->kind);
    print_flags(event->flags);
    shown.payload_bytes = (uint32_t)bytes;
    timed = lam_event_timestamp(&shown, &at_ns);
    (void)printf(" %u ", event->payload_bytes);
    if (timed == 1)
        (void)printf("@%" PRIu64 ".%09" PRIu64 " ", at_ns / LAM_NS_PER_S, at_ns % LAM_NS_PER_S);
    print_hex(bytes);
    (void)printf("%s |", bytes < event->payload_bytes ? "..." : "");
    for (size_t i = 0; i < bytes; i++)
        (void)putchar(buffer[i] >= ' ' && buffer[i] < 0x7f ? buffer[i] : '.');
    (void)puts("|");
}

static void print_event_json(
    const struct lam_event *event, uint64_t ordinal, const struct request *request)
{
    size_t bytes = event->payload_bytes < request->shown_bytes ? event->payload_bytes
                                                               : (size_t)request->shown_bytes;
    struct lam_event shown = *event;
    uint64_t at_ns;

    (void)printf("{\"ordinal\":%" PRIu64 ",\"sequence\":%" PRIu64
                 ",\"kind\":%u,\"flags\":%u,\"bytes\":%u",
        ordinal, event->sequence, event->kind, event->flags, event->payload_bytes);
    shown.payload_bytes = (uint32_t)bytes;
    if (lam_event_timestamp(&shown, &at_ns) == 1)
        (void)printf(",\"at_ns\":%" PRIu64, at_ns);
    (void)printf(",\"hex\":\"");
    print_hex(bytes);
    (void)puts("\"}");
}

static void print_lost(uint64_t lost, int json)
{
    if (json)
        (void)printf("{\"lost\":%" PRIu64 "}\n", lost);
    else
        (void)printf("-- %" PRIu64 " events were missed\n", lost);
}

/* Whether no more events will come: asked before the last look. */
static int is_over(const struct lam_ring *ring)
{
    enum lam_ring_state state = lam_ring_state_read(ring);

    return state != LAM_RING_NEW && state != LAM_RING_OPEN;
}

/* Print what is there, up to @end. Returns 1 to go on, 0 when all is done, or an error. */
static int print_some(struct lam_ring_observer *observer, struct request *request, uint64_t end)
{
    struct lam_event event;
    uint64_t lost;

    for (;;) {
        int rc;

        if (request->once && (int64_t)(end - observer->next) <= 0)
            return 0;
        rc = lam_ring_observer_try_read(observer, buffer, request->shown_bytes, &event, &lost);
        if (rc == -EOVERFLOW) {
            print_lost(lost, request->json);
        } else if (rc != 1) {
            return rc == 0 ? 1 : rc;
        } else {
            if (request->json)
                print_event_json(&event, observer->ordinal - 1, request);
            else
                print_event(&event, observer->ordinal - 1, request);
            if (--request->count == 0)
                return 0;
        }
        if (ferror(stdout))
            return 0;
    }
}

static int tail(const struct lam_ring *ring, enum lam_ring_start start, struct request *request)
{
    struct lam_ring_observer observer, head;
    int rc = lam_ring_observer_begin(&observer, ring, start);

    if (rc == 0)
        rc = lam_ring_observer_begin(&head, ring, LAM_RING_HEAD);
    while (rc == 0) {
        int over = request->once || is_over(ring);

        rc = print_some(&observer, request, head.next);
        if (tool_flush() != 0 || rc == 0 || (rc == 1 && over))
            return 0;
        if (rc == 1) {
            tool_pause(POLL_NS);
            rc = 0;
        }
    }
    (void)fprintf(stderr,
        "lamina tail: ring %s: its data object makes no sense; lamina dump shows its fields\n",
        ring->name);
    return TOOL_DAMAGED;
}

int main(int argc, char **argv)
{
    struct request request = {.count = UINT64_MAX, .shown_bytes = 32};
    const char *operand, *from = "head", *count = NULL, *bytes = NULL, *directory = NULL;
    int raw = 0, code;
    const struct tool_option options[] = {{"--raw", &raw, NULL}, {"--from", NULL, &from},
        {"--count", NULL, &count}, {"--bytes", NULL, &bytes}, {"--once", &request.once, NULL},
        {"--directory", NULL, &directory}, {"--json", &request.json, NULL}, {NULL, NULL, NULL}};
    struct lam_ring ring;

    tool_read("lamina tail", help, options, argc, argv, &operand);
    if (operand == NULL)
        tool_refuse("no ring was given");
    if (strcmp(from, "head") != 0 && strcmp(from, "oldest") != 0)
        tool_refuse("--from takes oldest or head, not \"%s\"", from);
    if (count != NULL)
        request.count = tool_number("--count", count, UINT64_MAX);
    if (bytes != NULL)
        request.shown_bytes = tool_number("--bytes", bytes, SHOWN_BYTES_MAX);
    if (request.count == 0)
        tool_refuse("--count takes 1 or more");
    code = tool_attach(&ring, directory, operand);
    if (code != 0)
        return code;
    code = tail(&ring, strcmp(from, "head") == 0 ? LAM_RING_HEAD : LAM_RING_OLDEST, &request);
    lam_ring_detach(&ring);
    return tool_exit_code(code);
}
