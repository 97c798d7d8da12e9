/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: each bench runs, and each line of its standard output is one flat JSON object that has all
 * the fields of its kind. Method: run "BENCH --quick", read the lines with a reader that refuses
 * whatever is not such an object. Without an argument: the reader itself, on broken lines.
 */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#define FIELDS_MAX 40

struct field {
    char key[40];
    char text[120]; /* of a string or of a literal; empty for a number */
    double number;
};

struct line {
    struct field fields[FIELDS_MAX];
    int count;
};

static const char *const common[] = {"bench", "layer", "payload_bytes", "probe", "ratio", "windows",
    "spread", "left_out_far", "left_out_disturbed", "clean", "near_ns", "pinned", "pause",
    "cell_bytes", "depth", NULL};

/* A node's lines are not of windows of two pinned processes. */
static const char *const common_of_nodes[] = {"bench", "payload_bytes", NULL};

/* What lines of a kind have beside the common fields, by how their name begins. */
static const struct {
    const char *kind;
    const char *fields[12];
} kinds[] = {
    {"handoff", {"p50_ns", "p99_ns", "probe_ns", "stamped_ns", "cursor_ns"}},
    {"throughput",
        {"batch", "msgs_per_s", "bytes_per_s", "probe_per_s", "stamped_per_s", "cursor_per_s"}},
    {"framed-trip", {"p50_ns", "p99_ns", "probe_ns", "bare", "bare_ns", "ratio_bare"}},
    {"framed-stream",
        {"msgs_per_s", "bytes_per_s", "probe_per_s", "bare", "bare_per_s", "ratio_bare"}},
    {"framed-frames",
        {"msgs_per_s", "bytes_per_s", "probe_per_s", "in_place_per_s", "ratio_in_place"}},
    {"framed-broadcast", {"consumers", "cpus", "oversubscribed", "waiting", "msgs_per_s",
                             "bytes_per_s", "probe_per_s"}},
    {"framed-price-trip", {"options", "p50_ns", "p99_ns", "probe_ns"}},
    {"framed-price-stream", {"options", "msgs_per_s", "bytes_per_s", "probe_per_s"}},
    {"framed-lanes-trip", {"lanes", "p50_ns", "p99_ns", "probe_ns"}},
    {"framed-lanes-stream", {"lanes", "msgs_per_s", "bytes_per_s", "probe_per_s"}},
    {"framed-call-trip", {"call", "p50_ns", "p99_ns", "probe_ns"}},
    {"framed-daemon-trip", {"daemon", "p50_ns", "p99_ns", "probe_ns"}},
    {"copy-read", {"readers", "cpus", "oversubscribed", "send_ns", "read_ns", "probe_ns"}},
    {"copy", {"send_ns", "receive_ns", "probe_ns"}},
    {"scaling", {"batch", "consumers", "cpus", "cores", "oversubscribed", "waiting", "msgs_per_s",
                    "bytes_per_s", "probe_per_s"}},
    {"producers", {"batch", "producers", "cpus", "cores", "oversubscribed", "waiting", "msgs_per_s",
                      "bytes_per_s", "probe_per_s"}},
    {"attach", {"end", "ring_bytes", "attach_ns", "probe_ns", "twice_ns", "ratio_twice"}},
    {"joined", {"joined", "publish_ns", "probe_ns", "ratio_one", "spread_one"}},
    {"price", {"batch", "options", "timestamp_every", "msgs_per_s", "plain_per_s", "probe_per_s",
                  "ratio_plain", "spread_plain"}},
    {"waiting-sleep", {"waiting", "pace_ns", "p50_ns", "p99_ns", "probe_ns"}},
    {"waiting-paced", {"waiting", "pace_ns", "p50_ns", "p99_ns", "probe_ns", "ratio_spin"}},
    {"waiting-idle", {"waiting", "pace_ns", "cpu_percent", "event_cpu_us", "probe_percent"}},
    {"peers-handoff", {"peer", "peer_mode", "p50_ns", "p99_ns", "peer_ns", "peer_p99_ns",
                          "probe_ns", "ratio_peer", "spread_peer"}},
    {"peers-throughput", {"peer", "peer_mode", "batch", "msgs_per_s", "peer_per_s", "probe_per_s",
                             "ratio_peer", "spread_peer"}},
    {"module-call", {"call", "call_ns", "p99_ns", "probe_ns", "ratio_plain"}},
    {"module-threads", {"threads", "cpus", "cores", "oversubscribed", "calls_per_s", "probe_per_s",
                           "raw_per_s", "ratio_raw"}},
    {"module-arena", {"arena", "take_ns", "probe_ns"}},
    {"module-header", {"does", "does_ns", "probe_ns"}},
    {"module-slice", {"does", "does_ns", "probe_ns"}},
    {"module-message", {"message", "does", "does_ns", "probe_ns"}},
    {"module-stage", {"stage", "call_ns", "p99_ns", "probe_ns"}},
    {"module-pool", {"choice", "workers", "p50_ns", "p99_ns", "probe_ns"}},
    {"module-batch", {"threads", "calls_per_s", "probe_per_s"}},
    {"module-load",
        {"both_ns", "unload_ns", "probe_ns", "path_ns", "ratio_path", "resident_bytes"}},
    {"module-reload", {"longest_ns", "reload_ns", "probe_ns", "calm_longest_ns", "interrupt_ns",
                          "ratio_interrupt"}},
    {"module-worker", {"p50_ns", "p99_ns", "probe_ns", "socket_ns", "ratio_socket"}},
    {"module-socket", {"waiting", "p50_ns", "p99_ns", "probe_ns"}},
    {"sequencer-trip", {"variant", "figure", "probe", "probe_figure", "ratio", "spread", "rounds",
                           "socket_ns", "sync_ns"}},
    {"sequencer-flood",
        {"variant", "figure", "probe", "probe_figure", "ratio", "spread", "rounds", "window"}},
    {"sequencer-rate", {"variant", "events_per_s", "events", "refused", "held_by_window", "p50_us",
                           "p99_us", "p999_us", "p9999_us", "worst_us"}},
    {"sequencer-recovery", {"variant", "figure", "probe", "probe_figure", "ratio", "spread",
                               "rounds", "events", "bytes"}},
    {"ladder-handoff", {"subject", "p50_ns"}},
    {"ladder-throughput", {"subject", "bytes_per_s"}},
};

/* Copies a quoted string without escapes. Returns what is behind it, or NULL. */
static const char *read_string(const char *at, char *text, size_t capacity)
{
    size_t length;

    if (*at != '"')
        return NULL;
    length = strcspn(at + 1, "\"\\\n");
    if (at[1 + length] != '"' || length >= capacity)
        return NULL;
    memcpy(text, at + 1, length);
    text[length] = 0;
    return at + length + 2;
}

static const char *read_value(const char *at, struct field *field)
{
    static const char *const literals[] = {"true", "false"};
    char *end;

    if (*at == '"')
        return read_string(at, field->text, sizeof(field->text));
    for (int i = 0; i < 2; i++)
        if (strncmp(at, literals[i], strlen(literals[i])) == 0) {
            strcpy(field->text, literals[i]);
            return at + strlen(literals[i]);
        }
    /* strtod() takes more than JSON has: nan, inf, hexadecimal, a leading plus. */
    if (*at != '-' && !isdigit((unsigned char)*at))
        return NULL;
    field->number = strtod(at, &end);
    if (end == at || strcspn(at, "xX") < (size_t)(end - at) || !isfinite(field->number))
        return NULL;
    return end;
}

/* One flat object, nothing before and nothing but a newline behind it. Returns 1 or 0. */
static int read_line(const char *at, struct line *line)
{
    memset(line, 0, sizeof(*line));
    if (*at++ != '{')
        return 0;
    for (;;) {
        struct field *field = &line->fields[line->count];

        if (line->count++ == FIELDS_MAX)
            return 0;
        at = read_string(at, field->key, sizeof(field->key));
        if (at == NULL || *at++ != ':')
            return 0;
        at = read_value(at, field);
        if (at == NULL)
            return 0;
        if (*at == '}')
            return strcmp(at + 1, "\n") == 0;
        if (*at++ != ',')
            return 0;
    }
}

static const struct field *find(const struct line *line, const char *key)
{
    for (int i = 0; i < line->count; i++)
        if (strcmp(line->fields[i].key, key) == 0)
            return &line->fields[i];
    return NULL;
}

static int has_all(const struct line *line, const char *const *keys)
{
    for (; *keys != NULL; keys++)
        if (find(line, *keys) == NULL) {
            fprintf(stderr, "no field \"%s\"\n", *keys);
            return 0;
        }
    return 1;
}

/* Those of the line's kind. */
static int has_fields(const struct line *line, const char *name)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (strncmp(name, kinds[i].kind, strlen(kinds[i].kind)) == 0)
            return has_all(line, kinds[i].fields);
    fprintf(stderr, "no kind of line is called \"%s\"\n", name);
    return 0;
}

static int is_good(const char *text)
{
    struct line line;
    const struct field *bench;

    if (!read_line(text, &line) || !has_all(&line, common_of_nodes))
        return 0;
    bench = find(&line, "bench");
    if (strncmp(bench->text, "sequencer-", 10) == 0)
        return has_fields(&line, bench->text);
    if (!has_all(&line, common) || !(find(&line, "ratio")->number > 0) ||
        !(find(&line, "windows")->number >= 1))
        return 0;
    return has_fields(&line, bench->text);
}

static int refuses_broken_lines(void)
{
    static const char good[] =
        "{\"bench\":\"copy\",\"layer\":0,\"payload_bytes\":48,\"send_ns\":1.5,\"receive_ns\":2,"
        "\"probe\":\"memcpy\",\"probe_ns\":1,\"ratio\":1.1,\"windows\":5,\"spread\":0.1,"
        "\"left_out_far\":0,\"left_out_disturbed\":0,\"clean\":true,\"near_ns\":60,"
        "\"pinned\":\"0,1\",\"pause\":true,"
        "\"cell_bytes\":64,\"depth\":4096}\n";
    static const char *const broken[][2] = {{"\"ratio\":1.1,", ""}, {"\"send_ns\":1.5,", ""},
        {"\"ratio\":1.1", "\"ratio\":nan"}, {"\"ratio\":1.1", "\"ratio\":0"},
        {"\"ratio\":1.1", "\"ratio\":-inf"}, {"\"ratio\":1.1", "\"ratio\":"}, {"}\n", "}"},
        {"}\n", "\n"}, {"{", ""}, {"\"bench\":\"copy\"", "\"bench\":\"coffee\""},
        {"\"windows\":5", "\"windows\":0"}, {"\"layer\":0", "\"layer\":0x1"},
        {",\"layer\"", ",,\"layer\""}, {"true,\"near_ns\"", "maybe,\"near_ns\""}};
    int failures = 0;

    failures += !is_good(good);
    for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
        const char *place = strstr(good, broken[i][0]);
        char text[1024];

        snprintf(text, sizeof(text), "%.*s%s%s", (int)(place - good), good, broken[i][1],
            place + strlen(broken[i][0]));
        if (is_good(text)) {
            fprintf(stderr, "taken for good: %s\n", text);
            failures++;
        }
    }
    return failures != 0;
}

int main(int argc, char **argv)
{
    char command[4096], text[4096];
    int line_count = 0, bad_count = 0, status;
    FILE *lines;

    if (argc < 2)
        return refuses_broken_lines();
    snprintf(command, sizeof(command), "'%s' --quick", argv[1]);
    lines = popen(command, "r");
    if (lines == NULL)
        return 1;
    while (fgets(text, sizeof(text), lines) != NULL) {
        if (strncmp(text, "skipped", 7) == 0) {
            fputs(text, stdout);
        } else if (!is_good(text)) {
            fprintf(stderr, "bad line: %s", text);
            bad_count++;
        }
        line_count++;
    }
    status = pclose(lines);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
        return 77;
    printf("%d lines, %d bad, status %d\n", line_count, bad_count, status);
    return status != 0 || bad_count != 0 || line_count == 0;
}
