/* SPDX-License-Identifier: Apache-2.0 */
/*
 * host.c: generations whose code runs in a worker. Its death is an answer, and the next call finds
 * another worker, which was started before it was needed.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "trust.h"
#include "worker/worker.h"

#define START_NS    (10 * LAM_NS_PER_S)
#define SHUTDOWN_NS LAM_NS_PER_S

/* More deaths than that within the time, and the module is left alone. */
#define DEATHS_MAX 8
#define DEATHS_NS  (10 * LAM_NS_PER_S)

struct lam_crew {
    struct lam_worker workers[2]; /* they do not move: the ends of channels are in them */
    uint32_t now;                 /* which of them serves; the other is the spare */
    char *program;
    const char *argument; /* of the program, or NULL */
    uint64_t deaths_since_ns;
    uint32_t deaths;
};

static struct lam_worker *serving(struct lam_crew *crew)
{
    return &crew->workers[crew->now];
}

static struct lam_worker *spare(struct lam_crew *crew)
{
    return &crew->workers[1 - crew->now];
}

/* A method's code is not here; the table only needs to know that it is there. */
static int elsewhere(struct lam_call *call)
{
    return call == NULL;
}

static struct worker_order order_of(enum link_entry entry, uint64_t deadline_ns)
{
    return (struct worker_order){.entry = entry, .deadline_ns = deadline_ns};
}

static int take_dependencies(
    const struct link_dependency *said, uint32_t count, struct lam_dependency *dependencies)
{
    for (uint32_t i = 0; i < count; i++) {
        if (said[i].name[LAM_NAME_BYTES_MAX - 1] != '\0' ||
            said[i].range[LAM_RANGE_TEXT_BYTES - 1] != '\0')
            return -EPROTO;
        dependencies[i] = (struct lam_dependency){
            .name = said[i].name, .range = said[i].range, .flags = said[i].flags};
    }
    return 0;
}

/* What it says of its module is input. */
static int describe(struct lam_generation *generation, const uint8_t *bytes, uint64_t count)
{
    struct lam_method methods[LAM_METHODS_MAX];
    struct lam_dependency dependencies[LAM_DEPENDENCIES_MAX];
    struct link_description said;
    const struct link_method *method = (const void *)(bytes + sizeof(said));
    struct lam_descriptor descriptor = {.bytes = sizeof(descriptor),
        .abi = LAM_ABI_VERSION,
        .method_bytes = sizeof(struct lam_method),
        .dependency_bytes = sizeof(struct lam_dependency),
        .methods = methods,
        .dependencies = dependencies};

    if (count < sizeof(said))
        return -EPROTO;
    memcpy(&said, bytes, sizeof(said));
    if (said.method_count > LAM_METHODS_MAX || said.dependency_count > LAM_DEPENDENCIES_MAX ||
        count != sizeof(said) + said.method_count * sizeof(*method) +
                     said.dependency_count * sizeof(struct link_dependency) ||
        said.name[LAM_NAME_BYTES_MAX - 1] != '\0')
        return -EPROTO;
    for (uint32_t i = 0; i < said.method_count; i++) {
        if (method[i].name[LAM_NAME_BYTES_MAX - 1] != '\0')
            return -EPROTO;
        methods[i] = (struct lam_method){method[i].name, method[i].id, method[i].flags, elsewhere};
    }
    if (take_dependencies(
            (const void *)(method + said.method_count), said.dependency_count, dependencies) != 0)
        return -EPROTO;
    descriptor.dependency_count = said.dependency_count;
    descriptor.name = said.name;
    descriptor.version = said.version;
    descriptor.features = said.features;
    descriptor.method_count = said.method_count;
    if (lam_descriptor_check("", &descriptor, NULL) != 0)
        return -EPROTO;
    if (generation->methods != NULL)
        return 0; /* a successor of the same image */
    return lam_descriptor_keep(generation, &descriptor);
}

/* Wait for a worker that was begun, and have it load the image. */
static int open_image(
    struct lam_generation *generation, struct lam_worker *worker, struct lam_error *error)
{
    struct worker_order order = order_of(LINK_OPEN, lam_deadline_after_ns(START_NS));
    struct lam_reply reply = {.capacity = sizeof(struct link_opened) + LINK_DESCRIPTION_BYTES_MAX};
    const struct link_opened *opened;
    int rc = lam_worker_await(worker, order.deadline_ns);

    if (rc != 0)
        return lam_error_set(error, rc, "module %s: its worker did not start", generation->file);
    /* The image only goes to one that has confined itself. */
    rc = lam_worker_confine(generation, worker, order.deadline_ns, error);
    if (rc == 0)
        rc = spawn_send_fd(worker->process.socket, generation->image.fd);
    if (rc != 0)
        return rc;
    reply.data = calloc(1, reply.capacity);
    if (reply.data == NULL)
        return lam_error_set(error, -ENOMEM, "module %s: out of memory", generation->file);
    order.request = generation->file;
    order.request_bytes = strlen(generation->file) + 1;
    rc = lam_worker_ask(generation, worker, &order, &reply);
    opened = reply.data;
    if (rc == 0 && reply.bytes < sizeof(*opened))
        rc = -EPROTO;
    else if (rc == 0 && opened->rc < 0)
        rc = lam_error_set(error, opened->rc, "%.*s", (int)(reply.bytes - sizeof(*opened)),
            (const char *)(opened + 1));
    else if (rc == 0)
        rc = describe(generation, (const uint8_t *)(opened + 1), reply.bytes - sizeof(*opened));
    else
        rc = lam_error_set(error, rc, "module %s: its worker ended while it was loaded (%s %d)",
            generation->file, reply.failure == LAM_FAILURE_CRASHED ? "signal" : "status",
            reply.detail);
    free(reply.data);
    return rc;
}

static int ask_init(struct lam_generation *generation, struct lam_worker *worker)
{
    const struct lam_module *module = generation->module;
    struct worker_order order = order_of(LINK_INIT, lam_deadline_after_ns(START_NS));
    struct lam_reply reply = {.data = NULL};

    order.request = module->config;
    order.request_bytes = module->config_bytes;
    return lam_worker_ask(generation, worker, &order, &reply);
}

/* The next one is begun before it is needed. Without it the next death costs more time. */
static void begin_spare(struct lam_crew *crew)
{
    if (!spare(crew)->is_alive)
        (void)lam_worker_begin(spare(crew), crew->program, crew->argument, NULL);
}

static int is_dying_too_often(struct lam_crew *crew)
{
    uint64_t now_ns = lam_clock_now_ns();

    if (now_ns - crew->deaths_since_ns > DEATHS_NS) {
        crew->deaths_since_ns = now_ns;
        crew->deaths = 0;
    }
    return ++crew->deaths > DEATHS_MAX;
}

/* The worker has died: the spare takes its place. Returns 0, or why there is none. */
static int replace(struct lam_generation *generation)
{
    struct lam_crew *crew = generation->crew;
    int rc = 0;

    if (is_dying_too_often(crew))
        return -ECANCELED;
    if (!spare(crew)->is_alive)
        rc = lam_worker_begin(spare(crew), crew->program, crew->argument, NULL);
    if (rc != 0)
        return rc;
    crew->now = 1 - crew->now;
    rc = open_image(generation, serving(crew), NULL);
    if (rc == 0)
        rc = ask_init(generation, serving(crew));
    if (rc != 0 && serving(crew)->is_alive)
        (void)lam_worker_end(serving(crew), 0);
    if (rc == 0)
        begin_spare(crew);
    return rc;
}

static int call(struct lam_generation *generation, const struct lam_method *entry,
    struct lam_frame *frame, struct lam_reply *reply)
{
    struct lam_crew *crew = generation->crew;
    struct worker_order order = order_of(LINK_METHOD, frame->call.deadline_ns);
    /* Again, once, where the method says that it may run twice, and the deadline is not over. */
    uint32_t tries = (entry->flags & LAM_METHOD_IDEMPOTENT) != 0 ? 2 : 1;
    int rc;

    order.method = frame->call.method; /* where any is served not the entry's */
    order.frame = frame;
    order.request = frame->call.request;
    order.request_bytes = frame->call.request_bytes;
    do {
        rc = serving(crew)->is_alive ? 0 : replace(generation);
        if (rc != 0)
            return lam_reply_fail(reply, LAM_FAILURE_NO_WORKER, rc, -EOWNERDEAD);
        rc = lam_worker_ask(generation, serving(crew), &order, reply);
    } while (--tries > 0 &&
             (reply->failure == LAM_FAILURE_CRASHED || reply->failure == LAM_FAILURE_EXITED));
    return rc;
}

static int start(struct lam_generation *generation)
{
    int rc = ask_init(generation, serving(generation->crew));

    if (rc == 0)
        begin_spare(generation->crew);
    return rc;
}

/* As of local.c: how long a state is, its module says. */
static int save(struct lam_generation *generation, void **state, uint64_t *bytes)
{
    struct worker_order order = order_of(LINK_SAVE, lam_deadline_after_ns(START_NS));
    struct lam_reply reply = {.data = NULL};
    int rc;

    if (!serving(generation->crew)->is_alive)
        return -EOWNERDEAD; /* and its state with it */
    do {
        free(reply.data);
        reply.capacity = reply.bytes;
        reply.data = malloc(reply.capacity + 1);
        rc = reply.data == NULL
                 ? -ENOMEM
                 : lam_worker_ask(generation, serving(generation->crew), &order, &reply);
    } while (rc == -ENOSPC && reply.bytes > reply.capacity);
    if (rc != 0) {
        free(reply.data);
        return rc;
    }
    *state = reply.data;
    *bytes = reply.bytes;
    return 0;
}

static int restore(struct lam_generation *generation, const void *state, uint64_t bytes)
{
    struct worker_order order = order_of(LINK_RESTORE, lam_deadline_after_ns(START_NS));
    struct lam_reply reply = {.data = NULL};

    order.request = state;
    order.request_bytes = bytes;
    return lam_worker_ask(generation, serving(generation->crew), &order, &reply);
}

static void close_workers(struct lam_generation *generation)
{
    struct lam_crew *crew = generation->crew;
    struct worker_order order = order_of(LINK_SHUTDOWN, lam_deadline_after_ns(SHUTDOWN_NS));
    struct lam_reply reply = {.data = NULL};

    if (serving(crew)->is_alive && generation->is_started)
        (void)lam_worker_ask(generation, serving(crew), &order, &reply);
    if (serving(crew)->is_alive)
        (void)lam_worker_end(serving(crew), 0);
    if (spare(crew)->is_alive)
        (void)lam_worker_end(spare(crew), 0);
    free(crew->program);
    free(crew);
    free(generation->file);
    image_close(&generation->image);
}

static const struct lam_host_kind lam_host_worker = {
    .call = call, .start = start, .save = save, .restore = restore, .close = close_workers};

int lam_worker_open(struct lam_generation *generation, const char *program, struct lam_error *error)
{
    const char *path = generation->found->path;
    int rc = lam_trust_open(generation, error);

    if (rc != 0)
        return rc;
    generation->kind = &lam_host_worker;
    generation->crew = calloc(1, sizeof(*generation->crew));
    generation->file = strdup(path);
    if (generation->crew != NULL) {
        generation->crew->program = strdup(program);
        generation->crew->argument = lam_worker_argument(generation->sandbox);
    }
    if (generation->crew == NULL || generation->file == NULL || generation->crew->program == NULL) {
        if (generation->crew != NULL)
            free(generation->crew->program);
        free(generation->crew);
        free(generation->file);
        image_close(&generation->image);
        return lam_error_set(error, -ENOMEM, "module %s: out of memory", path);
    }
    rc = lam_worker_begin(serving(generation->crew), program, generation->crew->argument, error);
    if (rc == 0)
        rc = open_image(generation, serving(generation->crew), error);
    if (rc != 0)
        close_workers(generation);
    /* Its process has one thread: calls take turns, whatever the module allows. */
    generation->is_serial = 1;
    return rc;
}
