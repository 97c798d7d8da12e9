/* SPDX-License-Identifier: Apache-2.0 */
/*
 * memlink.c: three required symbols and three optional ones in the place of a descriptor.
 *
 * Such a module is told neither how much room its answer has, nor asked how long it is. So it
 * writes into 4096 bytes that end where an unmapped page begins: who writes past them dies there.
 */
#include "worker/memlink.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "names.h"

/* Where the room is told behind the other arguments, a module may take it or not. */
typedef int (*call_fn)(unsigned method, const unsigned char *request, unsigned long bytes,
    unsigned char *output, unsigned long capacity);

static struct {
    int (*init)(const unsigned char *config, unsigned long bytes);
    call_fn call;
    int (*shutdown)(void);
    unsigned long (*state_size)(void);
    int (*save)(unsigned char *state, unsigned long bytes);
    int (*restore)(const unsigned char *state, unsigned long bytes);
} code;

static _Thread_local uint8_t *output; /* of this thread's calls: none is within another */

static int make_output(void)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    uint8_t *made;

    if (output != NULL)
        return 0;
    made = mmap(NULL, 3 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (made == MAP_FAILED)
        return -ENOMEM;
    if (mprotect(made + page, page, PROT_READ | PROT_WRITE) != 0) {
        (void)munmap(made, 3 * page);
        return -ENOMEM;
    }
    output = made + 2 * page - MEMLINK_OUTPUT_BYTES;
    return 0;
}

static int call(struct lam_call *call)
{
    void *reply;
    /* Before it runs: where its answer finds no room nothing has happened. */
    int rc = lam_call_reserve(call, MEMLINK_OUTPUT_BYTES, &reply);

    if (rc == 0)
        rc = make_output();
    if (rc != 0)
        return rc;
    memset(output, 0, MEMLINK_OUTPUT_BYTES); /* nothing of the call before */
    rc = code.call(call->method, call->request, call->request_bytes, output, MEMLINK_OUTPUT_BYTES);
    if (rc == 0)
        memcpy(reply, output, MEMLINK_OUTPUT_BYTES);
    else
        call->reply_bytes = 0;
    return rc;
}

static int init(struct lam_call *call)
{
    return code.init(call->request, call->request_bytes);
}

static int shutdown(struct lam_call *call)
{
    (void)call;
    (void)code.shutdown(); /* modules of memlink's SDK return nothing */
    return 0;
}

static int save(struct lam_call *call)
{
    uint64_t bytes = code.state_size();
    void *state;
    int rc = bytes == 0 ? -ENOTSUP : lam_call_reserve(call, bytes, &state);

    return rc != 0 ? rc : code.save(state, bytes);
}

static int restore(struct lam_call *call)
{
    return code.restore(call->request, call->request_bytes);
}

/* The file's name without its ending, as far as a name may go, and with nothing that none has. */
static void name_of(const char *path, char name[LAM_NAME_BYTES_MAX])
{
    const char *slash = strrchr(path, '/');
    char *dot;

    (void)snprintf(name, LAM_NAME_BYTES_MAX, "%s", slash != NULL ? slash + 1 : path);
    if (lam_module_name_fault(name) != NULL)
        (void)snprintf(name, LAM_NAME_BYTES_MAX, "memlink");
    dot = strrchr(name, '.');
    if (dot != NULL && dot != name)
        *dot = '\0';
}

static void find(void *handle, const char *symbol, void **address)
{
    *address = dlsym(handle, symbol);
}

/* Returns how many of the three are there. */
static int find_required(void *handle)
{
    find(handle, "memlink_init", (void **)&code.init);
    find(handle, "memlink_call", (void **)&code.call);
    find(handle, "memlink_shutdown", (void **)&code.shutdown);
    return (code.init != NULL) + (code.call != NULL) + (code.shutdown != NULL);
}

static int refuse(const char *path, struct lam_error *error)
{
    return lam_error_set(error, -ENOEXEC,
        "module %s: built to memlink's interface, which requires memlink_init, memlink_call and "
        "memlink_shutdown; it has no%s%s%s",
        path, code.init == NULL ? " memlink_init" : "", code.call == NULL ? " memlink_call" : "",
        code.shutdown == NULL ? " memlink_shutdown" : "");
}

static int describe(struct lam_generation *generation, const char *path, struct lam_error *error)
{
    static const struct lam_method any = {LAM_METHOD_ANY, LAM_METHOD_ID(LAM_METHOD_ANY), 0, call};
    static char name[LAM_NAME_BYTES_MAX];
    static struct lam_descriptor described = {.bytes = sizeof(described),
        .abi = LAM_ABI_VERSION,
        .method_count = 1,
        .method_bytes = sizeof(any),
        .name = name,
        .methods = &any,
        .dependency_bytes = sizeof(struct lam_dependency),
        .features = LAM_MODULE_CONCURRENT,
        .init = init,
        .shutdown = shutdown};
    int rc;

    name_of(path, name);
    find(generation->handle, "memlink_get_state_size", (void **)&code.state_size);
    find(generation->handle, "memlink_serialize_state", (void **)&code.save);
    find(generation->handle, "memlink_deserialize_state", (void **)&code.restore);
    if (code.state_size != NULL && code.save != NULL)
        described.save = save;
    if (code.restore != NULL)
        described.restore = restore;
    rc = lam_descriptor_check(path, &described, error);
    if (rc == 0)
        rc = lam_descriptor_keep(generation, &described);
    if (rc == 0)
        generation->descriptor = &described;
    return rc;
}

int lam_memlink_open_image(
    struct lam_generation *generation, const char *path, struct lam_error *error)
{
    void *handle = dlopen(generation->image.name, RTLD_NOW | RTLD_LOCAL);
    int is_ours = handle == NULL || dlsym(handle, LAM_ABI_SYMBOL) != NULL;
    int found = is_ours ? 0 : find_required(handle);
    int rc;

    if (found == 0) {
        /* Its constructors have run: the loader gives out the object that it has. */
        rc = lam_local_open_image(generation, path, error);
        if (handle != NULL)
            (void)dlclose(handle);
        return rc;
    }
    generation->handle = handle;
    generation->kind = &lam_host_local;
    rc = found == 3 ? describe(generation, path, error) : refuse(path, error);
    if (rc != 0) {
        (void)dlclose(handle);
        image_close(&generation->image);
    }
    return rc;
}
