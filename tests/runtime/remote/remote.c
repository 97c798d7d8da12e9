/* SPDX-License-Identifier: Apache-2.0 */
/*
 * remote.c: a runtime in one process, asked from another: every call of remote.h, and both ways in
 * which either side goes.
 */
#include "remote/stage.h"

#include <pthread.h>

static void ask(struct lam_remote *remote, const char *module, const char *method, int rc,
    enum lam_failure failure)
{
    char room[4];
    int32_t number = -7;
    struct lam_module_reply reply = {.data = room, .capacity = sizeof(room)};
    int got =
        lam_remote_call(remote, module, method, &number, sizeof(number), &reply, stage_soon());

    if (got != rc || reply.failure != failure)
        printf("%s.%s: %d, failure %u, %s\n", module, method, got, reply.failure,
            lam_remote_why(remote));
    TEST_CHECK(got == rc && reply.failure == failure);
}

static void a_call_there_is_as_a_call_here(struct lam_remote *remote)
{
    static uint8_t request[900000], answer[900001];
    char room[4];
    struct lam_module_reply reply = {.data = room, .capacity = sizeof(room)};

    stage_all_is_well(remote);
    ask(remote, "first", "status", -7, LAM_FAILURE_NONE);
    ask(remote, "first", "nothing", -ENOENT, LAM_FAILURE_NO_METHOD);
    ask(remote, "nobody", "echo", -ENODEV, LAM_FAILURE_NO_MODULE);
    TEST_CHECK(
        lam_remote_call(remote, "first", "echo", "abcd", 4, &reply, stage_soon()) == -ENOSPC);
    TEST_CHECK(reply.bytes == 5 && reply.failure == LAM_FAILURE_NONE);
    for (uint64_t bytes = 0; bytes <= sizeof(request); bytes += 100000) {
        memset(request, (int)bytes / 1000, bytes);
        reply = (struct lam_module_reply){.data = answer, .capacity = bytes + 1};
        TEST_CHECK(
            lam_remote_call(remote, "many", "echo", request, bytes, &reply, stage_soon()) == 0);
        TEST_CHECK(reply.bytes == bytes + 1 && memcmp(answer + 1, request, bytes) == 0);
    }
}

static void what_is_too_large_is_told(struct lam_remote *remote)
{
    uint8_t *large = calloc(1, 2 << 20);
    struct lam_module_reply reply = {.data = large, .capacity = 2 << 20};

    TEST_CHECK(lam_remote_call(remote, "first", "echo", large, 2 << 20, &reply, stage_soon()) ==
               -EMSGSIZE);
    TEST_CHECK(reply.failure == LAM_FAILURE_REMOTE);
    stage_all_is_well(remote);
    free(large);
}

static void a_deadline_that_is_over_is_a_timeout(struct lam_remote *remote)
{
    char room[4];
    struct lam_module_reply reply = {.data = room, .capacity = sizeof(room)};

    TEST_CHECK(lam_remote_call(remote, "first", "echo", "a", 1, &reply, 1) == -ETIMEDOUT);
    TEST_CHECK(reply.failure == LAM_FAILURE_REMOTE);
    stage_all_is_well(remote);
}

/* What the host takes for the call's deadline. */
static uint64_t deadline_there(struct lam_remote *remote, uint64_t deadline_ns)
{
    struct lam_call lent = {.deadline_ns = 0};
    struct lam_module_reply reply = {.data = &lent, .capacity = sizeof(lent)};

    TEST_CHECK(lam_remote_call(remote, "first", "context", NULL, 0, &reply, deadline_ns) == 0);
    TEST_CHECK(reply.bytes == sizeof(lent));
    return lent.deadline_ns;
}

static void the_host_is_told_a_deadline_that_leaves_time_for_the_answer(struct lam_remote *remote)
{
    uint64_t deadline_ns = stage_soon(), before_ns, there_ns;

    TEST_CHECK(deadline_there(remote, deadline_ns) == deadline_ns - 100 * LAM_NS_PER_MS);
    /* Never is never: the host's own bound. */
    before_ns = lam_clock_now_ns();
    there_ns = deadline_there(remote, LAM_DEADLINE_NEVER);
    TEST_CHECK(there_ns >= before_ns + 30 * LAM_NS_PER_S);
    TEST_CHECK(there_ns <= lam_deadline_after_ns(30 * LAM_NS_PER_S));
}

static void visit(void *context, const struct lam_module_stat *stat)
{
    char *names = context;

    (void)snprintf(names + strlen(names), 128, "%s:%d:%u:%u ", stat->name, (int)stat->phase,
        (unsigned)stat->generation, stat->version.major);
}

static void expect_list(struct lam_remote *remote, const char *module, const char *expected)
{
    char names[512] = "";

    TEST_CHECK(lam_remote_list(remote, module, visit, names, stage_soon(), &stage_error) >= 0);
    if (strcmp(names, expected) != 0)
        printf("found %s, expected %s\n", names, expected);
    TEST_CHECK(strcmp(names, expected) == 0);
}

static void modules_are_listed_and_looked_at(struct lam_remote *remote)
{
    struct lam_remote_health health = {.state = 99};
    static char text[65536];
    char few[8];
    uint64_t bytes = 0;

    expect_list(remote, NULL, "first:1:1:1 many:1:1:1 ");
    expect_list(remote, "many", "many:1:1:1 ");
    TEST_CHECK(
        lam_remote_list(remote, "nobody", NULL, NULL, stage_soon(), &stage_error) == -ENODEV);
    TEST_CHECK(lam_remote_health(remote, NULL, &health, stage_soon(), &stage_error) == 0);
    TEST_CHECK(health.state == LAM_PROTOCOL_HEALTHY);
    TEST_CHECK(lam_remote_health(remote, "first", &health, stage_soon(), &stage_error) == 0);
    TEST_CHECK(health.state == LAM_PROTOCOL_HEALTHY);
    TEST_CHECK(lam_remote_health(remote, "nobody", &health, stage_soon(), &stage_error) == -ENODEV);
    TEST_CHECK(strstr(stage_error.text, "no such module") != NULL);
    TEST_CHECK(
        lam_remote_stat(remote, text, sizeof(text), &bytes, stage_soon(), &stage_error) == 0);
    TEST_CHECK(bytes == strlen(text) && strstr(text, "module=\"first\"") != NULL);
    TEST_CHECK(lam_remote_stat(remote, few, sizeof(few), &bytes, stage_soon(), &stage_error) == 0);
    TEST_CHECK(strlen(few) == sizeof(few) - 1 && bytes > sizeof(few));
}

static uint64_t counted(struct lam_remote *remote)
{
    uint64_t count = 0;
    struct lam_module_reply reply = {.data = &count, .capacity = sizeof(count)};

    TEST_CHECK(lam_remote_call(remote, "other", "count", NULL, 0, &reply, stage_soon()) == 0);
    return count;
}

static void expect_event(struct lam_remote *remote, enum lam_runtime_event_kind kind, int64_t value)
{
    struct lam_remote_event event;
    int rc = lam_remote_next_event(remote, &event, stage_soon());

    if (rc != 0 || event.kind != kind)
        printf("event: %d, kind %d, value %ld\n", rc, (int)event.kind, (long)event.value);
    TEST_CHECK(rc == 0 && event.kind == kind && strcmp(event.name, "other") == 0);
    TEST_CHECK(value == 0 || event.value == value);
}

static void a_module_is_loaded_replaced_and_unloaded(struct lam_remote *remote)
{
    struct lam_module_options load = {.name = "other"};
    struct lam_reload_options reload = {.reference = module_file("second"), .keep_state = 1};
    struct lam_module_stat stat;
    struct lam_remote *listener = stage_connect(1);

    TEST_OK(lam_remote_load(remote, module_file("first"), &load, &stat, stage_soon(), &stage_error),
        stage_error);
    TEST_CHECK(strcmp(stat.name, "other") == 0 && stat.generation == 1);
    expect_event(listener, LAM_EVENT_LOADED, 1);
    TEST_CHECK(lam_remote_load(remote, module_file("first"), &load, &stat, stage_soon(),
                   &stage_error) == -EEXIST);
    TEST_CHECK(strstr(stage_error.text, "reload it") != NULL);
    TEST_CHECK(counted(remote) == 1 && counted(remote) == 2);
    TEST_OK(lam_remote_reload(remote, "other", &reload, &stat, stage_soon(), &stage_error),
        stage_error);
    TEST_CHECK(stat.generation == 2 && counted(remote) == 3);
    expect_event(listener, LAM_EVENT_RELOADED, 2);
    reload = (struct lam_reload_options){.reference = "/nowhere.so"};
    TEST_CHECK(
        lam_remote_reload(remote, "other", &reload, &stat, stage_soon(), &stage_error) == -ENOENT);
    TEST_CHECK(counted(remote) == 4);
    expect_event(listener, LAM_EVENT_RELOAD_FAILED, -ENOENT);
    TEST_OK(
        lam_remote_reload(remote, "other", NULL, NULL, stage_soon(), &stage_error), stage_error);
    TEST_CHECK(counted(remote) == 1);
    expect_event(listener, LAM_EVENT_RELOADED, 3);
    TEST_CHECK(lam_remote_unload(remote, "other", LAM_NS_PER_S, stage_soon(), &stage_error) == 0);
    expect_event(listener, LAM_EVENT_UNLOADED, 3);
    TEST_CHECK(lam_remote_unload(remote, "other", 0, stage_soon(), &stage_error) == -ENODEV);
    TEST_CHECK(
        lam_remote_reload(remote, "other", NULL, &stat, stage_soon(), &stage_error) == -ENODEV);
    expect_list(remote, NULL, "first:1:1:1 many:1:1:1 ");
    lam_remote_disconnect(listener);
}

static void a_host_that_lets_nobody_change_it_is_not_changed(void)
{
    struct lam_remote_options options = {.threads = 1};
    struct stage_host host = stage_begin(&options);
    struct lam_remote *remote = stage_connect(0);
    struct lam_remote_event event;

    TEST_CHECK(lam_remote_load(remote, module_file("second"), NULL, NULL, stage_soon(),
                   &stage_error) == -EPERM);
    TEST_CHECK(strstr(stage_error.text, "lets no client change it (NotAllowed)") != NULL);
    TEST_CHECK(
        lam_remote_reload(remote, "first", NULL, NULL, stage_soon(), &stage_error) == -EPERM);
    TEST_CHECK(lam_remote_unload(remote, "first", 0, stage_soon(), &stage_error) == -EPERM);
    TEST_CHECK(lam_remote_next_event(remote, &event, 0) == -ENOTSUP);
    stage_all_is_well(remote);
    lam_remote_disconnect(remote);
    stage_end(&host);
}

/* A call of "wait" from a connection of its own. */
struct waiting {
    pthread_t thread;
    struct lam_remote *remote;
    int fd;
    int rc;
    uint32_t failure;
};

static void *wait_there(void *context)
{
    struct waiting *waiting = context;
    char kind;
    struct lam_module_reply reply = {.data = &kind, .capacity = 1};

    waiting->rc = lam_remote_call(
        waiting->remote, "many", "wait", &waiting->fd, sizeof(waiting->fd), &reply, stage_soon());
    waiting->failure = reply.failure;
    return NULL;
}

static void calls_of(void *context, const struct lam_module_stat *stat)
{
    *(uint32_t *)context = stat->calls;
}

static void await_requests(struct lam_remote *remote, const char *module, uint32_t calls)
{
    uint64_t until_ns = stage_soon();
    uint32_t found = 0;

    while (found != calls) {
        TEST_CHECK(lam_clock_now_ns() < until_ns);
        TEST_CHECK(
            lam_remote_list(remote, module, calls_of, &found, stage_soon(), &stage_error) == 1);
    }
}

static void those_of_lower_priority_are_turned_away_first(void)
{
    struct lam_remote_options options = {.threads = 8, .queue_max = 8};
    struct waiting waiting[4];
    struct stage_host host;
    struct lam_remote *remote;
    int ends[2];

    TEST_CHECK(pipe(ends) == 0);
    host = stage_begin(&options);
    remote = stage_connect(0);
    for (uint32_t i = 0; i < 4; i++) { /* half of the queue */
        waiting[i] = (struct waiting){.remote = stage_connect(0), .fd = ends[0]};
        TEST_CHECK(pthread_create(&waiting[i].thread, NULL, wait_there, &waiting[i]) == 0);
    }
    await_requests(remote, "many", 4);
    lam_remote_set_priority(remote, LAM_PROTOCOL_LOW);
    ask(remote, "first", "status", -ECANCELED, LAM_FAILURE_LIMITED);
    lam_remote_set_priority(remote, LAM_PROTOCOL_NORMAL);
    ask(remote, "first", "status", -7, LAM_FAILURE_NONE);
    TEST_CHECK(write(ends[1], "....", 4) == 4);
    for (uint32_t i = 0; i < 4; i++) {
        TEST_CHECK(pthread_join(waiting[i].thread, NULL) == 0);
        TEST_CHECK(waiting[i].rc == 0);
        lam_remote_disconnect(waiting[i].remote);
    }
    lam_remote_set_priority(remote, LAM_PROTOCOL_LOW);
    ask(remote, "first", "status", -7, LAM_FAILURE_NONE);
    lam_remote_disconnect(remote);
    stage_end(&host);
    (void)close(ends[0]);
    (void)close(ends[1]);
}

static void a_slow_call_holds_nobody_else(void)
{
    struct lam_remote_options options = {.threads = 2};
    struct waiting waiting;
    struct stage_host host;
    struct lam_remote *remote;
    int ends[2];

    TEST_CHECK(pipe(ends) == 0);
    host = stage_begin(&options);
    remote = stage_connect(0);
    waiting = (struct waiting){.remote = stage_connect(0), .fd = ends[0]};
    TEST_CHECK(pthread_create(&waiting.thread, NULL, wait_there, &waiting) == 0);
    await_requests(remote, "many", 1);
    for (unsigned i = 0; i < 10; i++)
        stage_all_is_well(remote);
    TEST_CHECK(write(ends[1], ".", 1) == 1);
    TEST_CHECK(pthread_join(waiting.thread, NULL) == 0 && waiting.rc == 0);
    lam_remote_disconnect(waiting.remote);
    lam_remote_disconnect(remote);
    stage_end(&host);
    (void)close(ends[0]);
    (void)close(ends[1]);
}

static void a_host_that_ends_or_dies_is_told(void)
{
    struct lam_remote_options options = {.threads = 1};
    struct stage_host host = stage_begin(&options);
    struct lam_remote *remote = stage_connect(0);

    stage_end(&host);
    ask(remote, "first", "status", -EPIPE, LAM_FAILURE_REMOTE);
    TEST_CHECK(strstr(lam_remote_why(remote), "the host has ended") != NULL);
    lam_remote_disconnect(remote);
    host = stage_begin(&options);
    remote = stage_connect(0);
    stage_all_is_well(remote);
    test_kill(host.pid);
    (void)close(host.stop);
    ask(remote, "first", "status", -EOWNERDEAD, LAM_FAILURE_REMOTE);
    lam_remote_disconnect(remote);
    host = stage_begin(&options); /* another one takes its place */
    remote = stage_connect(0);
    stage_all_is_well(remote);
    lam_remote_disconnect(remote);
    stage_end(&host);
}

static void options_outside_their_range_are_refused(void)
{
    struct lam_remote_options options = {
        .threads = LAM_REMOTE_THREADS_MAX + 1, .directory = stage_folder};
    struct lam_remote_server *server, *second;
    struct lam_runtime *runtime;

    TEST_OK(lam_runtime_create(&runtime, NULL, &stage_error), stage_error);
    TEST_CHECK(lam_remote_serve(&server, runtime, &options, &stage_error) == -EINVAL);
    TEST_CHECK(strstr(stage_error.text, "threads is 65, at most 64") != NULL);
    options.threads = 1;
    TEST_OK(lam_remote_serve(&server, runtime, &options, &stage_error), stage_error);
    options.endpoint = "another";
    TEST_CHECK(lam_remote_serve(&second, runtime, &options, &stage_error) == -EBUSY);
    options.endpoint = NULL;
    lam_remote_serve_end(server);
    TEST_OK(lam_remote_serve(&server, runtime, &options, &stage_error), stage_error);
    lam_remote_serve_end(server);
    lam_remote_serve_end(NULL);
    lam_runtime_destroy(runtime);
}

int main(void)
{
    struct lam_remote_options options = {.lets_change = 1};
    struct stage_host host;
    struct lam_remote *remote;

    stage_open_folder();
    host = stage_begin(&options);
    remote = stage_connect(0);
    a_call_there_is_as_a_call_here(remote);
    what_is_too_large_is_told(remote);
    a_deadline_that_is_over_is_a_timeout(remote);
    the_host_is_told_a_deadline_that_leaves_time_for_the_answer(remote);
    modules_are_listed_and_looked_at(remote);
    a_module_is_loaded_replaced_and_unloaded(remote);
    lam_remote_disconnect(remote);
    stage_end(&host);
    a_host_that_lets_nobody_change_it_is_not_changed();
    those_of_lower_priority_are_turned_away_first();
    a_slow_call_holds_nobody_else();
    a_host_that_ends_or_dies_is_told();
    options_outside_their_range_are_refused();
    stage_close_folder();
    return 0;
}
