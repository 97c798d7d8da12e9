/* SPDX-License-Identifier: Apache-2.0 */
/* lamina module host: a runtime by its file, served until a signal comes. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lamina/config/config.h"
#include "lamina/runtime/config.h"
#ifdef LAM_WITH_METRICS
#include "lamina/metrics/http.h"
#endif
#include "plain.h"
#include "verbs.h"

#ifdef LAM_WITH_METRICS
static uint64_t write_metrics(void *runtime, char *text, uint64_t capacity)
{
    return lam_runtime_prometheus(runtime, text, capacity);
}

static int start_metrics(struct lam_metrics_http **http, struct lam_runtime *runtime,
    const struct lam_runtime_metrics *metrics, struct lam_error *error)
{
    struct lam_metrics_options options = {.address = metrics->address,
        .socket = metrics->socket,
        .port = metrics->port,
        .text = write_metrics,
        .context = runtime};
    int rc = lam_metrics_http_start(http, &options, error);

    if (rc == 0 && metrics->socket != NULL)
        (void)fprintf(stderr, "lamina module: metrics at %s\n", metrics->socket);
    else if (rc == 0)
        (void)fprintf(stderr, "lamina module: metrics at http://%s:%u/metrics\n",
            metrics->address != NULL ? metrics->address : "127.0.0.1",
            lam_metrics_http_port(*http));
    return rc;
}
#else
struct lam_metrics_http;

static int start_metrics(struct lam_metrics_http **http, struct lam_runtime *runtime,
    const struct lam_runtime_metrics *metrics, struct lam_error *error)
{
    (void)http, (void)runtime, (void)metrics;
    return lam_error_set(error, -ENOTSUP,
        "metrics: this lamina was built without libmicrohttpd; take the key metrics out");
}

static void lam_metrics_http_stop(struct lam_metrics_http *http)
{
    (void)http;
}
#endif

static void tell(const struct lam_runtime_config *config)
{
    const struct lam_runtime_serving *serving = lam_runtime_config_serving(config);
    uint32_t count = lam_runtime_config_count(config);

    (void)fprintf(stderr, "lamina module: %u module%s at the endpoint %s\n", count,
        count == 1 ? "" : "s",
        serving->remote.endpoint != NULL ? serving->remote.endpoint : LAM_REMOTE_ENDPOINT);
}

/* Everything is there: wait for the end. Signals are blocked since before the first thread. */
static void wait_for_end(const sigset_t *signals)
{
    int signal;

    while (sigwait(signals, &signal) != 0)
        ;
}

/* Serve a runtime that has its modules. Returns 0, or an errno with its reason. */
static int serve(const struct lam_runtime_config *config, struct lam_runtime *runtime,
    const sigset_t *signals, struct lam_error *error)
{
    const struct lam_runtime_serving *serving = lam_runtime_config_serving(config);
    struct lam_remote_server *server = NULL;
    struct lam_metrics_http *http = NULL;
    int rc = lam_remote_serve(&server, runtime, &serving->remote, error);

    if (rc == 0 && serving->metrics != NULL)
        rc = start_metrics(&http, runtime, serving->metrics, error);
    if (rc == 0) {
        tell(config);
        wait_for_end(signals);
    }
    lam_metrics_http_stop(http);
    lam_remote_serve_end(server);
    return rc;
}

static int run(struct lam_runtime_config *config)
{
    struct lam_runtime *runtime = NULL;
    struct lam_error error = {""};
    sigset_t signals;
    int rc;

    (void)sigemptyset(&signals);
    (void)sigaddset(&signals, SIGINT);
    (void)sigaddset(&signals, SIGTERM);
    (void)pthread_sigmask(SIG_BLOCK, &signals, NULL);
    rc = lam_runtime_create(&runtime, lam_runtime_config_options(config), &error);
    if (rc == 0)
        rc = lam_runtime_config_load(config, runtime, &error);
    if (rc == 0)
        rc = serve(config, runtime, &signals, &error);
    lam_runtime_destroy(runtime);
    return rc == 0 ? 0 : complain(EXIT_NOT_STARTED, "%s", error.text);
}

int verb_host(const struct arguments *arguments)
{
    struct lam_runtime_config *config;
    char *report;
    int code = 0;

    if (arguments->explains) {
        lam_config_explain(lam_runtime_config_table(), stdout);
        return 0;
    }
    if (lam_runtime_config_read(
            &config, arguments->words[0], arguments->sets, arguments->set_count, &report) != 0) {
        plain_print(stderr, report != NULL ? report : "lamina module: out of memory\n", 1);
        free(report);
        return EXIT_WRONG;
    }
    if (arguments->only_checks)
        (void)printf("%s: %u modules\n", arguments->words[0], lam_runtime_config_count(config));
    else
        code = run(config);
    lam_runtime_config_destroy(config);
    return code;
}
