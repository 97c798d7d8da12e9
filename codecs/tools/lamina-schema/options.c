/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

static const char usage[] =
    "usage: lamina-schema [OPTION]... SCHEMA.fbs\n"
    "Write C for a FlatBuffers schema.\n"
    "\n"
    "  -I, --include DIR   also look here for included schemas, after the folder of\n"
    "                      the including one; may be given several times\n"
    "  -o, --output FILE   write the header to FILE instead of standard output;\n"
    "                      FILE is untouched when the schema has an error\n"
    "      --depfile FILE  write the files read, as a rule for make or ninja; needs -o\n"
    "      --prefix P      begin every generated name with P\n"
    "      --dump-ir       print what was understood instead of C\n"
    "      --hash          print the hash of each type instead of C\n"
    "      --channel TYPE  print the hash and the text that channels of table TYPE carry\n"
    "      --codec NAME    of the channel: flatbuffers, or msgpack\n"
    "      --help          print this\n"
    "      --version       print the version\n"
    "\n"
    "Exit: 0 done, 1 the schema or a file has an error, 2 wrong use.\n";

enum {
    OPTION_DEPFILE = 256,
    OPTION_PREFIX,
    OPTION_DUMP,
    OPTION_HASH,
    OPTION_CHANNEL,
    OPTION_CODEC,
    OPTION_HELP,
    OPTION_VERSION
};

static const struct option long_options[] = {
    {"include", required_argument, NULL, 'I'},
    {"output", required_argument, NULL, 'o'},
    {"depfile", required_argument, NULL, OPTION_DEPFILE},
    {"prefix", required_argument, NULL, OPTION_PREFIX},
    {"dump-ir", no_argument, NULL, OPTION_DUMP},
    {"hash", no_argument, NULL, OPTION_HASH},
    {"channel", required_argument, NULL, OPTION_CHANNEL},
    {"codec", required_argument, NULL, OPTION_CODEC},
    {"help", no_argument, NULL, OPTION_HELP},
    {"version", no_argument, NULL, OPTION_VERSION},
    {NULL, 0, NULL, 0},
};

static int wrong(const char *text, const char *what)
{
    fprintf(stderr, "lamina-schema: %s%s\nTry lamina-schema --help.\n", text, what);
    return -EINVAL;
}

static int take_include(struct options *options, const char *dir)
{
    if (dir[0] == '\0')
        return wrong("-I needs the name of a folder", "");
    if (options->include_dir_count == OPTIONS_INCLUDE_DIR_COUNT_MAX)
        return wrong("too many -I", "");
    options->include_dirs[options->include_dir_count++] = dir;
    return 0;
}

static int take_prefix(struct options *options, const char *prefix)
{
    for (const char *at = prefix; *at != '\0'; at++)
        if (!isalnum((unsigned char)*at) && *at != '_')
            return wrong("--prefix takes letters, digits and '_', not ", prefix);
    if (isdigit((unsigned char)prefix[0]) || prefix[0] == '_')
        return wrong("--prefix begins with a letter, not ", prefix);
    options->prefix = prefix;
    return 0;
}

static int take_codec(struct options *options, const char *codec)
{
    if (strcmp(codec, "flatbuffers") != 0 && strcmp(codec, "msgpack") != 0)
        return wrong("--codec is flatbuffers or msgpack, not ", codec);
    options->codec = codec;
    return 0;
}

static int take(struct options *options, int option)
{
    switch (option) {
    case 'I':
        return take_include(options, optarg);
    case 'o':
        options->output = optarg;
        return 0;
    case OPTION_DEPFILE:
        options->depfile = optarg;
        return 0;
    case OPTION_PREFIX:
        return take_prefix(options, optarg);
    case OPTION_DUMP:
        options->dump = true;
        return 0;
    case OPTION_HASH:
        options->hash = true;
        return 0;
    case OPTION_CHANNEL:
        options->channel = optarg;
        return 0;
    case OPTION_CODEC:
        return take_codec(options, optarg);
    case OPTION_HELP:
        fputs(usage, stdout);
        return 1;
    case OPTION_VERSION:
        fputs("lamina-schema " LAMINA_VERSION "\n", stdout);
        return 1;
    default:
        fputs("Try lamina-schema --help.\n", stderr);
        return -EINVAL;
    }
}

int options_read(struct options *options, int argc, char **argv)
{
    int option;

    *options = (struct options){.prefix = "", .codec = "flatbuffers"};
    while ((option = getopt_long(argc, argv, "I:o:", long_options, NULL)) != -1) {
        int result = take(options, option);

        if (result != 0)
            return result;
    }
    if (optind == argc)
        return wrong("no schema given", "");
    if (optind + 1 < argc)
        return wrong("one schema at a time, not also ", argv[optind + 1]);
    if (options->depfile != NULL && options->output == NULL)
        return wrong("--depfile needs -o: the rule is about that file", "");
    if (options->dump + options->hash + (options->channel != NULL) > 1)
        return wrong("one of --dump-ir, --hash and --channel", "");
    options->schema = argv[optind];
    return 0;
}
