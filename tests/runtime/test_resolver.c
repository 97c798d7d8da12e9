/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_resolver.c: what a reference comes to: by path, registry, directories, version and range;
 * and which files are not trusted to run.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <dirent.h>
#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lamina/runtime/registry.h"
#include "lamina/runtime/version.h"
#include "modules.h"

static struct lam_runtime *runtime;
static struct lam_module *module;
static struct lam_error error;
static char folder[64];

/* A file of the folder. */
static const char *in_folder(const char *name)
{
    static char paths[64][256];
    static unsigned turn;
    char *path = paths[turn++ % 64];

    (void)snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
    return path;
}

static void create(struct lam_runtime_options options)
{
    lam_runtime_destroy(runtime);
    options.directories = folder;
    cr_assert(eq(int, lam_runtime_create(&runtime, &options, &error), 0), "%s", error.text);
}

static void setup(void)
{
    (void)snprintf(folder, sizeof(folder), "/tmp/lamina-test-resolver-XXXXXX");
    cr_assert(mkdtemp(folder) != NULL);
    create((struct lam_runtime_options){.depth_max = 0});
}

static void teardown(void)
{
    DIR *directory = opendir(folder);
    struct dirent *entry;

    lam_runtime_destroy(runtime);
    while ((entry = readdir(directory)) != NULL)
        (void)unlinkat(dirfd(directory), entry->d_name, 0);
    (void)closedir(directory);
    (void)rmdir(folder);
}

TestSuite(resolver, .init = setup, .fini = teardown, .timeout = 20);

static void copy(const char *kind, const char *name)
{
    char bytes[4096];
    FILE *in = fopen(module_file(kind), "rbe"), *out = fopen(in_folder(name), "wbe");
    size_t got;

    cr_assert(in != NULL && out != NULL);
    while ((got = fread(bytes, 1, sizeof(bytes), in)) > 0)
        cr_assert(eq(sz, fwrite(bytes, 1, got, out), got));
    cr_assert(fclose(in) == 0 && fclose(out) == 0);
    cr_assert(eq(int, chmod(in_folder(name), 0644), 0));
}

static void write_text(const char *name, const char *text)
{
    FILE *out = fopen(in_folder(name), "we");

    cr_assert(out != NULL && fputs(text, out) >= 0 && fclose(out) == 0);
}

static void expect_refused(const char *reference, int rc, const char *words)
{
    error.text[0] = '\0';
    cr_assert(eq(int, lam_runtime_load(runtime, reference, NULL, &module, &error), rc), "%s: %s",
        reference, error.text);
    cr_assert(strstr(error.text, words) != NULL, "%s: %s", reference, error.text);
}

/* The kind, which is also the patch of the version, of what @reference comes to. */
static char kind_of(const char *reference)
{
    char kind;

    cr_assert(eq(int, lam_runtime_load(runtime, reference, NULL, &module, &error), 0), "%s: %s",
        reference, error.text);
    kind = module_kind(module);
    cr_assert(eq(int, lam_runtime_unload(module, 0, &error), 0));
    return kind;
}

static int fits(const char *range, const char *text)
{
    struct lam_version version;
    struct lam_range parsed;

    cr_assert(eq(int, lam_version_parse(text, &version), 0), "%s", text);
    cr_assert(eq(int, lam_range_parse(&parsed, range, &error), 0), "%s", error.text);
    return lam_range_has(&parsed, version);
}

Test(resolver, ranges_are_what_the_header_says)
{
    static const struct {
        const char *range, *in, *out;
    } rows[] = {
        {"1.2.3", "1.2.3", "1.2.4"},
        {"=1.2.3", "1.2.3", "1.2.2"},
        {"1.2", "1.2.65535", "1.3.0"},
        {"1", "1.65535.0", "2.0.0"},
        {"^1.2.3", "1.9.0", "2.0.0"},
        {"^1.2.3", "1.2.3", "1.2.2"},
        {"^0.2.3", "0.2.9", "0.3.0"},
        {"^0.0.3", "0.0.3", "0.0.4"},
        {"^0.0", "0.0.9", "0.1.0"},
        {"^0", "0.9.9", "1.0.0"},
        {"~1.2.3", "1.2.9", "1.3.0"},
        {"~1.2", "1.2.0", "1.3.0"},
        {"~1", "1.9.9", "2.0.0"},
        {">=1.2", "1.2.0", "1.1.9"},
        {">1.2", "1.3.0", "1.2.9"},
        {"<2", "1.65535.65535", "2.0.0"},
        {"<=1.2", "1.2.9", "1.3.0"},
        {">= 1.2.0 , <2", "1.9.9", "2.0.0"},
        {">=1.2.0 <2", "1.2.0", "1.1.0"},
        {">=65535", "65535.65535.65535", "65534.9.9"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        cr_assert(fits(rows[i].range, rows[i].in), "%s %s", rows[i].range, rows[i].in);
        cr_assert(fits(rows[i].range, rows[i].out) == 0, "%s %s", rows[i].range, rows[i].out);
    }
    cr_assert(fits(NULL, "0.0.0") && fits("*", "65535.65535.65535") && fits("", "1.0.0"));
}

Test(resolver, what_is_no_range_or_no_version_is_refused)
{
    static const char *const ranges[] = {"x", "1.2.3.4", "1.2.3-rc.1", "^", "1..2", "65536",
        "1.2.3 || 2", "=>1", ">2, <1", "1.0.0 2.0.0", "1.2.3+build", "99999999999999999999"};
    static const char *const versions[] = {
        "", "1", "1.2", "1.2.3.4", "1.2.x", " 1.2.3", "1.2.3 ", "1.2.65536", "-1.2.3", "1.2.3-rc1"};
    struct lam_version version;
    struct lam_range range;

    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
        cr_assert(eq(int, lam_range_parse(&range, ranges[i], &error), -EINVAL), "%s", ranges[i]);
    for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++)
        cr_assert(eq(int, lam_version_parse(versions[i], &version), -EINVAL), "%s", versions[i]);
    expect_refused("test@^one", -EINVAL, "^one");
    expect_refused("@1.0.0", -EINVAL, "no name");
}

Test(resolver, the_newest_version_of_a_folder_that_fits_is_taken)
{
    copy("first", "test-1.0.1.so");
    copy("second", "test-1.0.2.so");
    write_text("test-1.0.10.so", "a range without it must not come to it");
    write_text("test-9.so", "no version");
    write_text("test-1.0.99.so.tmp", "another name");
    write_text("testing-1.0.3.so", "another name");
    cr_assert(eq(int, kind_of("test@<1.0.10"), 2));
    cr_assert(eq(int, kind_of("test@1.0.1"), 1));
    cr_assert(eq(int, kind_of("test@~1.0.0,<1.0.2"), 1));
    /* Ten is above two. */
    expect_refused("test", -ENOEXEC, "test-1.0.10.so");
    expect_refused("test@^2", -ENOENT, "fits");
}

Test(resolver, a_name_alone_is_the_file_without_a_version_where_there_is_one)
{
    copy("first", "test.so");
    copy("second", "test-1.0.2.so");
    cr_assert(eq(int, kind_of("test"), 1));
    cr_assert(eq(int, kind_of("test@1"), 2));
    /* What a file without a version is, it says itself. */
    cr_assert(eq(int, kind_of("test@=1.0.1"), 1));
    expect_refused("test@>=1.0.3", -ENOENT, "it is version 1.0.1");
}

Test(resolver, a_file_that_is_not_the_version_it_is_called_is_refused)
{
    copy("first", "test-1.0.7.so");
    expect_refused("test@1", -EPROTO, "found as version 1.0.7, and says that it is 1.0.1");
}

Test(resolver, a_reload_takes_the_newest_version_that_has_come)
{
    struct lam_reload_options older = {.reference = "test@1.0.1"};

    copy("first", "test-1.0.1.so");
    cr_assert(eq(int, lam_runtime_load(runtime, "test@^1.0.0", NULL, &module, &error), 0));
    copy("second", "test-1.0.2.so");
    cr_assert(eq(int, module_kind(module), 1));
    cr_assert(eq(int, lam_runtime_reload(module, NULL, &error), 0), "%s", error.text);
    cr_assert(eq(int, module_kind(module), 2));
    cr_assert(eq(int, lam_runtime_reload(module, &older, &error), 0), "%s", error.text);
    cr_assert(eq(int, module_kind(module), 1));
}

Test(resolver, the_registry_comes_before_the_folders_and_says_where)
{
    const char *file = in_folder("registry.yaml");

    copy("first", "one.so");
    copy("second", "two.so");
    copy("concurrent", "test.so");
    write_text("registry.yaml", "modules:\n"
                                "  - {name: test, version: 1.0.1, path: one.so}\n"
                                "  - {name: test, version: 1.0.2, path: two.so}\n");
    cr_assert(eq(int, lam_runtime_read_registry(runtime, file, &error), 0), "%s", error.text);
    cr_assert(eq(int, kind_of("test"), 2));
    cr_assert(eq(int, kind_of("test@<=1.0.1"), 1));
    /* What it does not have is looked for in folders. */
    cr_assert(eq(int, kind_of("test@>=1.0.3"), 3));
    write_text("registry.yaml", "modules: []\n");
    cr_assert(eq(int, lam_runtime_read_registry(runtime, file, &error), 0), "%s", error.text);
    cr_assert(eq(int, kind_of("test"), 3));
}

Test(resolver, a_registry_that_is_wrong_says_where_and_changes_nothing)
{
    static const struct {
        const char *text, *words;
    } rows[] = {
        {"modules:\n  - {name: a, version: 1.0, path: x}\n", ":2:"},
        {"modules:\n  - {name: a, version: 1.0.0}\n", "path"},
        {"modules:\n  - {name: a/b, version: 1.0.0, path: x}\n", "a/b"},
        {"modules:\n  - {name: a, version: 1.0.0, path: x, sha256: 12}\n", "sha256"},
        {"modules:\n  - {name: a, version: 1.0.0, path: x, sum: 12}\n", "sum"},
        {"modules:\n  - {name: a, version: 1.0.0, path: x}\n  - {name: a, version: 1.0.0, path: "
         "y}\n",
            "twice"},
        {"- 1\n", ":1:"},
    };
    const char *file = in_folder("registry.yaml");

    copy("first", "one.so");
    write_text("registry.yaml", "modules: [{name: test, version: 1.0.1, path: one.so}]\n");
    cr_assert(eq(int, lam_runtime_read_registry(runtime, file, &error), 0), "%s", error.text);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        write_text("registry.yaml", rows[i].text);
        cr_assert(
            eq(int, lam_runtime_read_registry(runtime, file, &error), -EINVAL), "%s", rows[i].text);
        cr_assert(strstr(error.text, rows[i].words) != NULL, "%s: %s", rows[i].words, error.text);
    }
    cr_assert(eq(int, lam_runtime_read_registry(runtime, "/nowhere/x", &error), -ENOENT));
    cr_assert(eq(int, kind_of("test"), 1));
}

Test(resolver, files_that_others_may_write_are_refused_where_owners_are_checked)
{
    copy("first", "test.so");
    cr_assert(eq(int, chmod(in_folder("test.so"), 0666), 0));
    cr_assert(eq(int, kind_of("test"), 1));
    create((struct lam_runtime_options){.checks_owner = 1});
    expect_refused("test", -EPERM, "mode 666");
    cr_assert(eq(int, chmod(in_folder("test.so"), 0664), 0));
    expect_refused("test", -EPERM, "chmod go-w");
    cr_assert(eq(int, chmod(in_folder("test.so"), 0644), 0));
    cr_assert(eq(int, kind_of("test"), 1));
    if (geteuid() == 0) {
        cr_assert(eq(int, chown(in_folder("test.so"), 12345, 0), 0));
        expect_refused("test", -EPERM, "user 12345");
    } else {
        cr_log_warn("only root can give a file to another user: its owner was not changed");
    }
}

/* By the same library, so that the test needs no sums of files that each compiler makes anew. */
static int sum_of(const char *name, char text[65])
{
    void *library = dlopen("libcrypto.so.3", RTLD_NOW);
    unsigned char *(*sha256)(const unsigned char *, size_t, unsigned char *) =
        library == NULL ? NULL
                        : (unsigned char *(*)(const unsigned char *, size_t, unsigned char *))(
                              uintptr_t)dlsym(library, "SHA256");
    static unsigned char bytes[1 << 20];
    unsigned char sum[32];
    FILE *in = fopen(in_folder(name), "rbe");

    cr_assert(in != NULL);
    if (sha256 == NULL)
        return 0;
    sha256(bytes, fread(bytes, 1, sizeof(bytes), in), sum);
    (void)fclose(in);
    for (int i = 0; i < 32; i++)
        (void)snprintf(text + (size_t)2 * i, 3, "%02X", sum[i]);
    return 1;
}

Test(resolver, only_sums_that_are_allowed_run_in_either_host)
{
    char list[200], first[65], second[65];
    struct lam_runtime_options options = {.allowed_sha256 = list};

    copy("first", "test-1.0.1.so");
    copy("second", "test-1.0.2.so");
    copy("concurrent", "test-1.0.3.so");
    if (!sum_of("test-1.0.1.so", first) || !sum_of("test-1.0.2.so", second))
        cr_skip_test("no libcrypto.so.3: sums are not checked");
    (void)snprintf(list, sizeof(list), " %s,\n%s\n", first, second);
    create(options);
    cr_assert(eq(int, kind_of("test@1.0.1"), 1));
    cr_assert(eq(int, kind_of("test@1.0.2"), 2));
    expect_refused("test@1.0.3", -EPERM, "none of the 2 that are allowed");
    (void)snprintf(list, sizeof(list), "%.63s", first);
    cr_assert(eq(int, lam_runtime_create(&runtime, &options, &error), -EINVAL));
    cr_assert(strstr(error.text, "64 hexadecimal digits") != NULL, "%s", error.text);
    list[0] = '\0';
    cr_assert(eq(int, lam_runtime_create(&runtime, &options, &error), -EINVAL));
    create((struct lam_runtime_options){.depth_max = 0});
}

Test(resolver, a_file_must_have_the_sum_that_the_registry_says)
{
    char sum[65];
    struct lam_registry_entry entry = {
        .name = "test", .version = {1, 0, 1, 0}, .path = in_folder("a.so"), .sha256 = sum};

    copy("first", "a.so");
    if (!sum_of("a.so", sum))
        cr_skip_test("no libcrypto.so.3: sums are not checked");
    cr_assert(eq(int, lam_runtime_register(runtime, &entry, 1, &error), 0), "%s", error.text);
    cr_assert(eq(int, kind_of("test"), 1));
    sum[5] = sum[5] == '0' ? '1' : '0';
    cr_assert(eq(int, lam_runtime_register(runtime, &entry, 1, &error), 0), "%s", error.text);
    expect_refused("test", -EPERM, "not what the registry says");
}

/* One field of the file is not what it was; the reason has @words. */
static void expect_broken(off_t at, const void *bytes, size_t count, const char *words)
{
    int fd;

    copy("first", "test.so");
    fd = open(in_folder("test.so"), O_WRONLY | O_CLOEXEC);
    cr_assert(eq(int, (int)pwrite(fd, bytes, count, at), (int)count));
    (void)close(fd);
    expect_refused("test", -ENOEXEC, words);
}

#define HEADER(field) ((off_t)offsetof(Elf64_Ehdr, field))
#define PART(field)   ((off_t)(sizeof(Elf64_Ehdr) + offsetof(Elf64_Phdr, field)))

Test(resolver, what_the_loader_would_die_of_is_refused_before_it)
{
    static const uint64_t huge = UINT64_MAX - 4, far = UINT64_C(1) << 40;
    static const uint16_t none = 0, many = 60000;

    expect_broken(EI_CLASS, "\x01", 1, "class 1");
    expect_broken(EI_DATA, "\x02", 1, "byte order is 2");
    expect_broken(EI_VERSION, "\x07", 1, "version 7");
    expect_broken(HEADER(e_type), "\x02", 1, "type 2");
    expect_broken(HEADER(e_phentsize), "\x01", 1, "described in 1 bytes");
    expect_broken(HEADER(e_phnum), &none, 2, "0 parts");
    expect_broken(HEADER(e_phnum), &many, 2, "60000 parts");
    expect_broken(HEADER(e_phoff), &huge, 8, "cut short");
    /* The first part is one to load. */
    expect_broken(PART(p_offset), &huge, 8, "cut short");
    expect_broken(HEADER(e_shoff), &huge, 8, "table of sections");
    expect_broken(PART(p_memsz), &far, 8, "wants");
    expect_broken(PART(p_vaddr), &huge, 8, "wants");
    expect_broken(HEADER(e_phnum), "\x01\x00", 2, "tables for the loader");
}
