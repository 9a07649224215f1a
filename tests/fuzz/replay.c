/* SPDX-License-Identifier: MIT */
/*
 * replay.c - run a fuzz target over files: those named on the command line, or the corpus of its
 * name (fuzz_spec: tests/fuzz/corpus/spec). Reports in TAP.
 */
#include <dirent.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuzz.h"

static void run_file(const char *path)
{
        FILE *file = fopen(path, "rb");
        struct stat status;
        uint8_t *bytes;

        printf("# %s\n", path); /* the last one named is the one that crashes */
        fflush(stdout);
        MUST(file && fstat(fileno(file), &status) == 0);
        bytes = malloc((size_t)status.st_size + !status.st_size); /* to the byte, for sanitizers */
        MUST(bytes);
        MUST(fread(bytes, 1, (size_t)status.st_size, file) == (size_t)status.st_size);
        fclose(file);
        LLVMFuzzerTestOneInput(bytes, (size_t)status.st_size);
        free(bytes);
}

static int visible(const struct dirent *entry)
{
        return entry->d_name[0] != '.';
}

/* Run all files of a folder; returns how many there were. */
static int run_folder(const char *folder)
{
        struct dirent **entries;
        int count = chdir(folder) == 0 ? scandir(".", &entries, visible, alphasort) : 0;

        for (int i = 0; i < count; i++) {
                run_file(entries[i]->d_name);
                free(entries[i]);
        }
        if (count > 0)
                free(entries);
        return count;
}

int main(int argc, char **argv)
{
        const char *source = getenv("srcdir"), *slash = strrchr(argv[0], '/');
        const char *name = strstr(slash ? slash : argv[0], "fuzz_");
        char folder[4096];
        int count = argc - 1;

        snprintf(folder, sizeof(folder), "%s/tests/fuzz/corpus/%s", source ? source : ".",
                 name ? name + strlen("fuzz_") : "");
        for (int i = 1; i < argc; i++)
                run_file(argv[i]);
        if (argc == 1)
                count = run_folder(folder);
        printf("1..1\n%sok 1 - %d inputs of %s\n", count > 0 ? "" : "not ", count,
               argc == 1 ? folder : "the command line");
        return 0;
}
