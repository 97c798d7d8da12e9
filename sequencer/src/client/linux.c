/* SPDX-License-Identifier: Apache-2.0 */
/* linux.c: the client of an ordinary process: over Linux's env, with its key in a file. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "client/client.h"
#include "env/linux.h"
#include "env/small_file.h"
#include "protocol/ed25519.h"

#define KEY_BYTES_MAX 8192

static struct lam_env_linux *env_of(const struct lam_sequencer_client *client)
{
    return (struct lam_env_linux *)client->env;
}

static void end_env(struct lam_sequencer_client *client)
{
    lam_env_linux_fini(env_of(client));
    free(client->env);
}

static int env_fd(const struct lam_sequencer_client *client)
{
    return env_of(client)->poll_fd;
}

static int read_key(const char *path, uint8_t seed[ED25519_SEED_BYTES], struct lam_error *error)
{
    char bytes[KEY_BYTES_MAX];
    int64_t count = lam_env_small_file(path, 1, bytes, sizeof(bytes), error);
    int rc = (int)count;

    if (count >= 0)
        rc = ed25519_read(seed, bytes, (size_t)count, path, error);
    explicit_bzero(bytes, sizeof(bytes));
    return rc;
}

static int make_env(struct lam_env_linux **made, struct lam_error *error)
{
    struct lam_env_linux *env = malloc(sizeof(*env));
    int rc = env != NULL ? lam_env_linux_init(env, NULL) : -ENOMEM;

    if (rc != 0) {
        free(env);
        return lam_error_set(error, rc, "no descriptors for a client: %s", strerror(-rc));
    }
    *made = env;
    return 0;
}

int lam_sequencer_client_create(struct lam_sequencer_client **client,
    const struct lam_sequencer_client_options *options, struct lam_error *error)
{
    struct lam_env_linux *env = NULL;
    uint8_t seed[ED25519_SEED_BYTES];
    int rc = options->key != NULL ? read_key(options->key, seed, error) : 0;

    if (rc == 0)
        rc = make_env(&env, error);
    if (rc != 0)
        return rc;
    rc = client_create(client, &env->env, options, options->key != NULL ? seed : NULL, error);
    explicit_bzero(seed, sizeof(seed));
    if (rc != 0) {
        lam_env_linux_fini(env);
        free(env);
        return rc;
    }
    (*client)->end_env = end_env;
    (*client)->env_fd = env_fd;
    return 0;
}
