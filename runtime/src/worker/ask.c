/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ask.c: what a worker is asked while it comes into its place, and what it answers.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "worker/crew.h"

void lam_crew_set_step(struct lam_crew *crew, struct crew_place *place, enum place_step step)
{
    LAM_ASSERT(pthread_mutex_lock(&crew->lock) == 0);
    place->step = step;
    if (step == PLACE_READY) {
        place->restarts += place->has_died;
        place->has_died = 0;
        place->left_alone_until_ns = 0;
        place->health = (struct health_row){LAM_HEALTH_UNKNOWN, 0, 0, 0};
        place->probe_due_ns = 0;
    }
    LAM_ASSERT(pthread_mutex_unlock(&crew->lock) == 0);
}

/* A method's code is not here; the table only needs to know that it is there. */
static int elsewhere(struct lam_call *call)
{
    return call == NULL;
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

/* Send what the next step is; its answer has @capacity bytes. */
static int ask(struct lam_crew *crew, struct crew_place *place, enum place_step step,
    const struct worker_order *order, uint64_t capacity)
{
    int rc;

    free(place->answer.data);
    place->answer =
        (struct lam_module_reply){.data = calloc(1, capacity + 1), .capacity = capacity};
    if (place->answer.data == NULL)
        return -ENOMEM;
    rc = lam_worker_send(crew->generation, place->worker, order, capacity, &place->asked_id);
    if (rc == 0)
        lam_crew_set_step(crew, place, step);
    return rc;
}

int lam_crew_ask_confine(struct lam_crew *crew, struct crew_place *place)
{
    struct worker_order order = lam_worker_confinement(crew->generation, place->step_deadline_ns);

    return ask(crew, place, PLACE_CONFINING, &order, sizeof(struct lam_sandbox_report));
}

/* Under the lock: what is compared is what the first one reported. */
int lam_crew_read_confined(struct lam_crew *crew, struct crew_place *place, struct lam_error *error)
{
    int rc;

    LAM_ASSERT(pthread_mutex_lock(&crew->lock) == 0);
    rc = lam_worker_is_confined(crew->generation, &place->answer, error);
    LAM_ASSERT(pthread_mutex_unlock(&crew->lock) == 0);
    return rc;
}

int lam_crew_ask_open(struct lam_crew *crew, struct crew_place *place)
{
    const struct lam_generation *generation = crew->generation;
    struct worker_order order = {.entry = LINK_OPEN,
        .request = generation->file,
        .request_bytes = strlen(generation->file) + 1,
        .deadline_ns = place->step_deadline_ns};
    int rc = spawn_send_fd(place->worker->process.socket, generation->image.fd);

    if (rc != 0)
        return rc == -EPIPE ? -EOWNERDEAD : rc;
    return ask(crew, place, PLACE_OPENING, &order,
        sizeof(struct link_opened) + LINK_DESCRIPTION_BYTES_MAX);
}

int lam_crew_ask_init(struct lam_crew *crew, struct crew_place *place)
{
    const struct lam_module *module = crew->generation->module;
    struct worker_order order = {.entry = LINK_INIT,
        .request = module->config,
        .request_bytes = module->config_bytes,
        .deadline_ns = place->step_deadline_ns};

    return ask(crew, place, PLACE_INITIALISING, &order, 0);
}

/* The answer to what was asked, until @until_ns. */
int lam_crew_hear(struct lam_crew *crew, struct crew_place *place, uint64_t until_ns, int *status)
{
    struct worker_order order = {.entry = LINK_INIT, .deadline_ns = until_ns};
    int rc = lam_worker_hear(
        crew->generation, place->worker, &order, place->asked_id, &place->answer, status);

    if (rc != -ETIMEDOUT || !spawn_is_dead(&place->worker->process))
        return rc;
    /* What it said before comes first. */
    rc = lam_worker_hear(
        crew->generation, place->worker, &order, place->asked_id, &place->answer, status);
    return rc == -ETIMEDOUT ? -EOWNERDEAD : rc;
}

int lam_crew_read_opened(struct lam_crew *crew, struct crew_place *place, struct lam_error *error)
{
    const struct link_opened *opened = place->answer.data;
    uint64_t bytes = place->answer.bytes;

    if (bytes < sizeof(*opened))
        return -EPROTO;
    if (opened->rc < 0)
        return lam_error_set(
            error, opened->rc, "%.*s", (int)(bytes - sizeof(*opened)), (const char *)(opened + 1));
    lam_crew_set_step(crew, place, PLACE_OPEN);
    return describe(crew->generation, (const uint8_t *)(opened + 1), bytes - sizeof(*opened));
}
