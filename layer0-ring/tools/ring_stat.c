/* SPDX-License-Identifier: Apache-2.0 */
/* lamina stat --ring, --rings: counters, lag and latencies of rings, and who waits for whom. */
#include "ring_stat.h"
#include "tool.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char help[] =
    "usage: lamina stat [--ring] RING [--every DURATION] [--count N | --once] [--json]\n"
    "       lamina stat --rings [--json]\n"
    "\n"
    "Looks into one ring: what was published, who lags, who waits for whom, latencies where the\n"
    "ring has histograms, counters of the application's own. RING is its name, or the path of one\n"
    "of its two objects. Attaches read-only and slows nobody down.\n"
    "\n"
    "  --rings       one line for each ring of the directory\n"
    "  --every       take samples so far apart, as 1s or 250ms; the second on has rates\n"
    "  --count       so many samples; 1, or with --every until the ring is closed or poisoned\n"
    "  --once        one sample, as --count 1\n"
    "  --directory   where named rings are, /dev/shm by default\n"
    "  --json        one JSON object a sample and line\n"
    "\n"
    "exit: 0, 1 the output cannot be written, 2 wrong command line, 3 no such ring, 4 it makes no\n"
    "sense, 5 it is poisoned, and cannot be sampled, or no more\n";

struct request {
    const char *ring;
    const char *directory;
    uint64_t every_ns;
    uint64_t count;
    int json;
};

/* Kept off the stack. */
static struct ring_sample now, before;

static int look(const struct lam_ring *ring)
{
    now.at_ns = lam_clock_now_ns();
    return lam_ring_stat_read(ring, &now.stat);
}

/* There is no sample. Says why, and returns the exit code. */
static int refuse_damaged(const struct lam_ring *ring)
{
    int poisoned = lam_ring_state_read(ring) == LAM_RING_POISONED;

    (void)fprintf(stderr,
        "lamina stat: ring %s: %sno events lead from its newest waypoint to a head; lamina dump "
        "shows its fields\n",
        ring->name, poisoned ? "is poisoned: " : "");
    return poisoned ? TOOL_POISONED : TOOL_DAMAGED;
}

static int sample(const struct lam_ring *ring, const struct request *request)
{
    for (uint64_t taken = 1;; taken++) {
        if (look(ring) != 0)
            return refuse_damaged(ring);
        if (request->json)
            ring_stat_print_json(ring, &now, &before);
        else
            ring_stat_print(ring, &now, &before);
        if (tool_flush() != 0 || taken == request->count)
            return 0;
        if (request->count == UINT64_MAX && now.stat.state == LAM_RING_CLOSED)
            return 0;
        if (now.stat.state == LAM_RING_POISONED) {
            (void)fprintf(stderr,
                "lamina stat: ring %s: is poisoned: nothing more will come of it\n", ring->name);
            return TOOL_POISONED;
        }
        before = now;
        tool_pause(request->every_ns);
    }
}

/* The ring whose data object is called @file, or NULL. */
static char *ring_of_file(const char *file)
{
    size_t length = strlen(file);
    const size_t prefix = strlen("lamina."), suffix = strlen(".data");

    if (strncmp(file, "lamina.", prefix) != 0 || length <= prefix + suffix ||
        strcmp(file + length - suffix, ".data") != 0)
        return NULL;
    return strndup(file + prefix, length - prefix - suffix);
}

static uint64_t object_bytes(const struct lam_ring *ring)
{
    return ring->data.head_bytes + ring->data.body_bytes + ring->control.head_bytes;
}

/* One ring of the list. @error: why it cannot be looked into, or NULL. */
static void list_json(const struct lam_ring *ring, const char *name, const struct lam_error *error)
{
    (void)printf("{\"ring\":");
    tool_print_json(name, strlen(name));
    (void)printf(",\"state\":\"%s\"", error == NULL ? tool_state(now.stat.state) : "unreadable");
    if (error == NULL) {
        (void)printf(",\"epoch\":%llu,\"events\":%llu,\"consumers\":%u,\"object_bytes\":%llu}\n",
            (unsigned long long)now.stat.epoch, (unsigned long long)now.stat.events,
            now.stat.consumer_count, (unsigned long long)object_bytes(ring));
    } else {
        (void)printf(",\"error\":");
        tool_print_json(error->text, sizeof(error->text));
        (void)printf("}\n");
    }
}

static void list_text(const struct lam_ring *ring, const char *name, const struct lam_error *error)
{
    tool_print(name, strlen(name));
    if (error == NULL) {
        (void)printf(": %s, epoch %llu, %llu events, %u consumers, %.1f MiB\n",
            tool_state(now.stat.state), (unsigned long long)now.stat.epoch,
            (unsigned long long)now.stat.events, now.stat.consumer_count,
            (double)object_bytes(ring) / 1048576);
    } else {
        (void)printf(": unreadable: ");
        tool_print(error->text, sizeof(error->text));
        (void)putchar('\n');
    }
}

static void list_one(const struct request *request, const char *name)
{
    struct lam_ring_attach_options options = {
        .name = name, .directory = request->directory, .observe = 1};
    struct lam_error error = {{0}};
    struct lam_ring ring;
    int rc = lam_ring_attach(&ring, &options, &error);

    if (rc == 0) {
        rc = look(&ring);
        if (rc != 0)
            (void)snprintf(error.text, sizeof(error.text), "no events lead to a head");
    }
    if (request->json)
        list_json(&ring, name, rc == 0 ? NULL : &error);
    else
        list_text(&ring, name, rc == 0 ? NULL : &error);
    lam_ring_detach(&ring);
}

static int compare(const struct dirent **left, const struct dirent **right)
{
    return strcmp((*left)->d_name, (*right)->d_name);
}

static int list(const struct request *request)
{
    const char *directory = request->directory == NULL ? LAM_SEGMENT_DIRECTORY : request->directory;
    struct dirent **entries;
    int count = scandir(directory, &entries, NULL, compare);
    int gone = 0;

    if (count < 0) {
        (void)fprintf(stderr, "lamina stat: %s: %s\n", directory, strerror(errno));
        return TOOL_NOT_THERE;
    }
    tool_expect_cut();
    for (int i = 0; i < count; i++) {
        char *name = ring_of_file(entries[i]->d_name);

        if (name != NULL && !gone) {
            list_one(request, name);
            gone = tool_flush() != 0;
        }
        free(name);
        free(entries[i]);
    }
    free(entries);
    return 0;
}

static int exists(const char *format, const char *name)
{
    char path[4096];
    int length = snprintf(path, sizeof(path), format, name);

    return length > 0 && (size_t)length < sizeof(path) && access(path, F_OK) == 0;
}

/* Of the options of either kind, one whose value is the next argument. */
static int takes_a_value(const char *option)
{
    return strcmp(option, "--every") == 0 || strcmp(option, "--interval") == 0 ||
           strcmp(option, "--count") == 0;
}

int ring_stat_is_asked(int argc, char **argv)
{
    const char *operand = NULL;

    for (int i = 1; i < argc; i++) {
        /* Topologies have no directory of their own, so who names one asks for a ring in it. */
        if (strncmp(argv[i], "--ring", strlen("--ring")) == 0 ||
            strncmp(argv[i], "--directory", strlen("--directory")) == 0)
            return 1;
        if (takes_a_value(argv[i]))
            i++;
        else if (argv[i][0] != '-' && operand == NULL)
            operand = argv[i];
    }
    if (operand == NULL)
        return 0;
    if (tool_ends_with(operand, ".data") || tool_ends_with(operand, ".control"))
        return 1;
    return strchr(operand, '/') == NULL &&
           exists(LAM_SEGMENT_DIRECTORY "/lamina.%s.data", operand) &&
           !exists(LAM_SEGMENT_DIRECTORY "/lamina.%s.topology", operand) && !exists("%s", operand);
}

int ring_stat_main(int argc, char **argv)
{
    struct request request = {.count = 1};
    const char *operand, *every = NULL, *count = NULL;
    int rings = 0, ring_flag = 0, once = 0;
    const struct tool_option options[] = {{"--rings", &rings, NULL}, {"--ring", &ring_flag, NULL},
        {"--every", NULL, &every}, {"--interval", NULL, &every}, {"--count", NULL, &count},
        {"--once", &once, NULL}, {"--directory", NULL, &request.directory},
        {"--json", &request.json, NULL}, {NULL, NULL, NULL}};
    struct lam_ring ring;
    int code;

    tool_read("lamina stat", help, options, argc, argv, &operand);
    if (every != NULL) {
        request.every_ns = tool_duration_ns("--every", every);
        request.count = UINT64_MAX;
    }
    if (count != NULL)
        request.count = tool_number("--count", count, UINT32_MAX);
    if (once && (every != NULL || count != NULL))
        tool_refuse("--once is one sample: no --every, no --count");
    if (count != NULL && request.count == 0)
        tool_refuse("--count takes 1 or more");
    if (every == NULL && request.count > 1)
        request.every_ns = LAM_NS_PER_S;
    if (rings) {
        if (operand != NULL)
            tool_refuse("--rings shows all: %s", operand);
        return tool_exit_code(list(&request));
    }
    if (operand == NULL)
        tool_refuse("no ring was given");
    code = tool_attach(&ring, request.directory, operand);
    if (code != 0)
        return code;
    code = sample(&ring, &request);
    lam_ring_detach(&ring);
    return tool_exit_code(code);
}
