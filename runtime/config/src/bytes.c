/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration of a module, from text, from hexadecimal digits, or from a file. */
#include "option.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Of a hexadecimal digit; 16 for what is none. */
static unsigned digit_value(char digit)
{
    if (digit >= '0' && digit <= '9')
        return (unsigned)(digit - '0');
    if (digit >= 'a' && digit <= 'f')
        return (unsigned)(digit - 'a') + 10;
    return digit >= 'A' && digit <= 'F' ? (unsigned)(digit - 'A') + 10 : 16;
}

static void from_digits(struct lam_runtime_config *config, struct lam_module_options *options,
    const struct lam_config_node *node)
{
    const char *digits = lam_config_text(node);
    size_t length = strlen(digits);
    unsigned char *bytes = option_allocate(config, length / 2 + 1);

    if (bytes == NULL)
        return;
    for (size_t i = 0; i < length; i++) {
        unsigned value = digit_value(digits[i]);

        if (value == 16 || length % 2 != 0) {
            (void)lam_config_problem(
                config->file, node, "two hexadecimal digits for each byte, and nothing else");
            return;
        }
        bytes[i / 2] = (unsigned char)(bytes[i / 2] << 4 | value);
    }
    options->config = bytes;
    options->config_bytes = length / 2;
}

/* All of @file, which is as large as @bytes says. Returns 0 or -errno. */
static int read_whole(int file, char *into, size_t bytes)
{
    for (size_t used = 0; used < bytes;) {
        ssize_t got = read(file, into + used, bytes - used);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return got < 0 ? -errno : -EIO; /* shorter than it was */
        used += (size_t)got;
    }
    return 0;
}

static void from_file(struct lam_runtime_config *config, struct lam_module_options *options,
    const char *path, const struct lam_config_node *node)
{
    /* Not to wait for whoever may write into a pipe. */
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat stat = {0};
    int rc = file < 0 || fstat(file, &stat) != 0 ? -errno : 0;
    char *bytes = NULL;

    if (rc == 0 && !S_ISREG(stat.st_mode))
        rc = -EINVAL;
    if (rc == 0 && (uint64_t)stat.st_size > LAM_RUNTIME_CONFIG_BYTES_MAX)
        rc = -EFBIG;
    if (rc == 0) {
        bytes = option_allocate(config, (size_t)stat.st_size + 1);
        rc = bytes != NULL ? read_whole(file, bytes, (size_t)stat.st_size) : -ENOMEM;
    }
    if (rc == 0) {
        options->config = bytes;
        options->config_bytes = (uint64_t)stat.st_size;
    } else {
        (void)lam_config_problem(config->file, node, "%s: %s", path, strerror(-rc));
    }
    if (file >= 0)
        (void)close(file);
}

void option_fill_config(struct lam_runtime_config *config, struct option_module *module,
    const struct lam_config_node *node)
{
    struct lam_module_options *options = &module->wanted.options;

    if (module->config_text != NULL) {
        options->config = module->config_text;
        options->config_bytes = strlen(module->config_text);
    } else if (module->config_hex != NULL) {
        from_digits(config, options, lam_config_at(node, "config_hex"));
    } else if (module->config_file != NULL) {
        from_file(config, options, module->config_file, lam_config_at(node, "config_file"));
    }
}
