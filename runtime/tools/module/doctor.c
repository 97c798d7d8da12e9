/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lamina module doctor: what works here, what does not, and what to do about it. It finds out by
 * doing it: a module of its own runs in a worker that asks the kernel for every layer.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lamina/framed/endpoint.h"
#include "verbs.h"

/* What to do where a layer is not active, by enum lam_sandbox_layer. */
static const char *const remedies[LAM_SANDBOX_LAYERS] = {
    "",
    "",
    "build Lamina with libseccomp (libseccomp-dev), on a kernel with CONFIG_SECCOMP_FILTER",
    "boot with landlock among lsm=..., on a kernel with CONFIG_SECURITY_LANDLOCK",
    "allow user namespaces: sysctl user.max_user_namespaces, or the container's profile",
    "it needs users, or root with CAP_SYS_ADMIN",
    "it needs users, or root with CAP_SYS_ADMIN",
    "it needs users, or root with CAP_SYS_ADMIN",
    "it needs users, or root with CAP_SYS_ADMIN",
};

static void print_layers(const struct lam_sandbox_report *report)
{
    for (int layer = 0; layer < LAM_SANDBOX_LAYERS; layer++) {
        const struct lam_sandbox_state *state = &report->layers[layer];

        (void)printf("sandbox %-12s ", lam_sandbox_layer_name((enum lam_sandbox_layer)layer));
        if (!state->is_active)
            (void)printf("not active: %s: %s%s%s\n", state->step, strerror(-state->error),
                remedies[layer][0] != '\0' ? "; " : "", remedies[layer]);
        else if (state->level != 0)
            (void)printf("active, level %u\n", state->level);
        else
            (void)puts("active");
    }
}

/* The module of the doctor's as a file of this process; -1: there is none. */
static int open_image(void)
{
    size_t bytes = (size_t)(doctor_image_end - doctor_image);
    int fd = memfd_create("doctor", MFD_CLOEXEC);

    if (fd >= 0 && write(fd, doctor_image, bytes) == (ssize_t)bytes)
        return fd;
    if (fd >= 0)
        (void)close(fd);
    return -1;
}

/* Returns 0, or an errno with its reason. */
static int try_worker(struct lam_runtime *runtime, int image, struct lam_sandbox_report *report,
    struct lam_error *error)
{
    struct lam_sandbox_options sandbox = {.layers = LAM_SANDBOX_ALL};
    struct lam_module_options options = {.host = LAM_MODULE_IN_WORKER, .sandbox = &sandbox};
    char path[64], answer[8];
    struct lam_module_reply reply = {.data = answer, .capacity = sizeof(answer)};
    struct lam_module *module;
    int rc;

    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", image);
    rc = lam_runtime_load(runtime, path, &options, &module, error);
    if (rc != 0)
        return rc;
    rc = lam_module_call(module, lam_method_id("echo"), "doctor", 6, &reply,
        lam_deadline_after_ns(10 * LAM_NS_PER_S));
    if (rc != 0 || reply.bytes != 6 || memcmp(answer, "doctor", 6) != 0)
        return lam_error_set(error, rc < 0 ? rc : -EPROTO,
            "a worker starts, and does not answer: failure %u, detail %d", reply.failure,
            reply.detail);
    rc = lam_module_sandbox(module, report);
    return rc < 0 ? lam_error_set(error, rc, "its sandbox is not known: %s", strerror(-rc)) : 0;
}

static int check_worker(void)
{
    struct lam_sandbox_report report;
    struct lam_runtime *runtime = NULL;
    struct lam_error error = {"out of memory"};
    int image = open_image();
    int rc = image >= 0 ? lam_runtime_create(&runtime, NULL, &error) : -ENOMEM;

    memset(&report, 0, sizeof(report));
    if (rc == 0)
        rc = try_worker(runtime, image, &report, &error);
    lam_runtime_destroy(runtime);
    if (image >= 0)
        (void)close(image);
    if (rc != 0) {
        (void)printf("worker               does not work: %s\n", error.text);
        return EXIT_REFUSED;
    }
    (void)puts("worker               starts and answers");
    print_layers(&report);
    return 0;
}

static int check_directory(void)
{
    char directory[LAM_ENDPOINT_PATH_MAX + 1];
    struct lam_error error = {""};

    if (lam_endpoint_directory(directory, &error) != 0) {
        (void)printf("endpoints            no place: %s\n", error.text);
        return EXIT_REFUSED;
    }
    if (access(directory, W_OK | X_OK) != 0) {
        (void)printf("endpoints            %s: %s; make it, or set LAMINA_RUN_DIR to a folder of "
                     "yours\n",
            directory, strerror(errno));
        return EXIT_REFUSED;
    }
    (void)printf("endpoints            in %s\n", directory);
    return 0;
}

static void pass_over(void *context, const struct lam_module_stat *stat)
{
    (void)context;
    (void)stat;
}

static void look_at_host(const struct arguments *arguments)
{
    const char *endpoint = arguments->endpoint != NULL ? arguments->endpoint : LAM_REMOTE_ENDPOINT;
    struct lam_remote_client_options options = {.endpoint = endpoint, .name = "lamina-module"};
    struct lam_error error = {""};
    struct lam_remote *remote;
    int rc = lam_remote_connect(&remote, &options, 0, &error);

    if (rc == -ENOENT || rc == -ECONNREFUSED)
        (void)printf("host                 none runs at %s: lamina module host FILE\n", endpoint);
    else if (rc != 0)
        (void)printf("host                 %s: %s\n", endpoint, error.text);
    if (rc != 0)
        return;
    rc = lam_remote_list(remote, NULL, pass_over, NULL, ask_deadline(arguments), &error);
    if (rc >= 0)
        (void)printf("host                 answers at %s, with %d modules\n", endpoint, rc);
    else
        (void)printf("host                 %s: %s\n", endpoint, error.text);
    lam_remote_disconnect(remote);
}

int verb_doctor(const struct arguments *arguments)
{
    int code = check_worker();
    int also = check_directory();

#ifdef LAM_WITH_METRICS
    (void)puts("metrics              can be served over HTTP");
#else
    (void)puts("metrics              not over HTTP: built without libmicrohttpd");
#endif
    look_at_host(arguments);
    return code != 0 ? code : also;
}
