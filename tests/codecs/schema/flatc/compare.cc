/* SPDX-License-Identifier: Apache-2.0 */

/*
 * compare FLATC [COUNT]: our front end understands schemas as flatc does: COUNT random ones,
 * those of our examples (LAMINA_SOURCE), and every one of the official tests (LAMINA_TEST_DATA).
 * Exit 77 without the last.
 *
 * flatc runs as a child and writes into a scratch folder, one schema at a time.
 */

#include "load.h"
#include "match.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace
{
using path = std::filesystem::path;

struct comparison {
    const char *flatc;
    path scratch;
    std::vector<std::string> include_dirs;
    unsigned failures;
};

bool run(std::vector<std::string> words)
{
    std::vector<char *> arguments;
    pid_t child;
    int status = -1;

    for (std::string &word : words)
        arguments.push_back(word.data());
    arguments.push_back(nullptr);
    if (posix_spawn(&child, arguments[0], nullptr, nullptr, arguments.data(), environ) != 0)
        return false;
    return waitpid(child, &status, 0) == child && status == 0;
}

std::string contents(const path &file)
{
    std::ifstream in(file, std::ios::binary);

    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

schema *load(comparison &c, const path &file)
{
    std::vector<const char *> dirs;
    schema_load_options options = {};
    schema_diagnostics diagnostics;
    schema *result = nullptr;

    for (const std::string &dir : c.include_dirs)
        dirs.push_back(dir.c_str());
    options.include_dirs = dirs.data();
    options.include_dir_count = dirs.size();
    schema_diagnostics_init(&diagnostics);
    if (schema_load(file.c_str(), &options, &diagnostics, &result) != 0)
        std::printf("%s", schema_diagnostics_text(&diagnostics));
    schema_diagnostics_fini(&diagnostics);
    return result;
}

bool compare(comparison &c, const path &file)
{
    std::vector<std::string> words = {
        c.flatc, "-b", "--schema", "--bfbs-builtins", "--bfbs-comments", "-o", c.scratch.string()};
    path bfbs = c.scratch / file.filename().replace_extension(".bfbs");
    schema *ours = load(c, file);
    bool same;

    for (const std::string &dir : c.include_dirs) {
        words.push_back("-I");
        words.push_back(dir);
    }
    words.push_back(file.string());
    same = ours != nullptr && run(words) && match_schema(file.c_str(), ours, contents(bfbs)) == 0;
    schema_destroy(ours);
    if (!same) {
        std::printf("%s: not the same\n", file.c_str());
        c.failures++;
    }
    return same;
}

void compare_random(comparison &c, unsigned count)
{
    for (unsigned seed = 1; seed <= count; seed++) {
        path file = c.scratch / ("random" + std::to_string(seed) + ".fbs");

        std::ofstream(file) << random_schema(seed);
        if (!compare(c, file))
            std::printf("---\n%s---\n", random_schema(seed).c_str());
        std::filesystem::remove(file);
        std::filesystem::remove(file.replace_extension(".bfbs"));
        if (c.failures > 3)
            return;
    }
    std::printf("%u random schemas compared\n", count);
}

unsigned compare_folder(comparison &c, const path &folder)
{
    std::vector<path> files;

    for (const auto &entry : std::filesystem::recursive_directory_iterator(folder))
        if (entry.path().extension() == ".fbs")
            files.push_back(entry.path());
    std::sort(files.begin(), files.end());
    c.include_dirs = {
        (folder / "include_test").string(), (folder / "include_test" / "sub").string()};
    for (const path &file : files)
        compare(c, file);
    std::printf("%zu schemas of %s compared\n", files.size(), folder.c_str());
    return static_cast<unsigned>(files.size());
}
} // namespace

int main(int argc, char **argv)
{
    char scratch[] = "/tmp/lamina-flatc-XXXXXX";
    const char *data = std::getenv("LAMINA_TEST_DATA");
    const char *source = std::getenv("LAMINA_SOURCE");
    unsigned count = argc > 2 ? static_cast<unsigned>(std::atoi(argv[2])) : 100;
    bool skipped = true;

    if (argc < 2 || mkdtemp(scratch) == nullptr)
        return 2;
    comparison c = {argv[1], scratch, {}, 0};
    compare_random(c, count);
    if (source != nullptr)
        compare_folder(c, path(source) / "codecs" / "examples");
    if (data != nullptr && std::filesystem::is_directory(path(data) / "flatbuffers"))
        skipped = compare_folder(c, path(data) / "flatbuffers") == 0;
    std::filesystem::remove_all(scratch);
    if (c.failures != 0)
        return 1;
    if (skipped) {
        std::printf("the official schemas were not compared: LAMINA_TEST_DATA/flatbuffers is not "
                    "there\n");
        return 77;
    }
    return 0;
}
