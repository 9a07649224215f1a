/* SPDX-License-Identifier: MIT */
/* official.c - comparing the files of a data set with the official ones. */
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "data/input.h"
#include "data/official.h"

enum { CHUNK = 1 << 16 };

const char *const pxr_verdict_names[] = { "official", "not official", "damaged", "missing" };

const struct pxr_data_format *pxr_official_find(const char *name, struct pxr_diag *diag)
{
        const struct pxr_data_format *format =
                pxr_data_format_find(name, (struct pxr_location) { 0 }, diag);

        if (!format || format->official)
                return format;
        pxr_user_error(diag, "%s: this data set has no official files", name);
        for (int i = 0; pxr_data_formats[i]; i++)
                if (pxr_data_formats[i]->official)
                        pxr_note(diag, "%s has: %s", pxr_data_formats[i]->name,
                                 pxr_data_formats[i]->help);
        return NULL;
}

const char *pxr_official_folder(const struct pxr_data_format *format)
{
        const struct pxr_option *row = format->options->rows;

        while (strcmp(row->name, "path") != 0)
                row++;
        return row->initial;
}

static const struct pxr_official_file *in_list(const struct pxr_official_file *file,
                                               const char *name, const char *sha256)
{
        for (; file && file->name; file++)
                if (name ? strcmp(file->name, name) == 0 : strcmp(file->sha256, sha256) == 0)
                        return file;
        return NULL;
}

static const struct pxr_official_file *find_file(const struct pxr_data_format *format,
                                                 const char *name, const char *sha256)
{
        const struct pxr_official *official = format->official;
        const struct pxr_official_file *file =
                official ? in_list(official->files, name, sha256) : NULL;

        return file || !official ? file : in_list(official->unpacked, name, sha256);
}

const struct pxr_official_file *pxr_official_file(const struct pxr_data_format *format,
                                                  const char *name)
{
        return find_file(format, name, NULL);
}

bool pxr_official_sha256(const char *sha256)
{
        for (int i = 0; pxr_data_formats[i]; i++)
                if (find_file(pxr_data_formats[i], NULL, sha256))
                        return true;
        return false;
}

/* --- verifying ---------------------------------------------------------------------------------*/

struct verification {
        const struct pxr_data_format *set;
        void (*report)(void *context, const struct pxr_verified *file);
        void *context;
        const struct pxr_observer *observer;
        int failures; /* files that are not official */
};

/* --- one file ----------------------------------------------------------------------------------*/

/* A file as it was read. */
struct reading {
        char disk[PXR_SHA256_HEX], content[PXR_SHA256_HEX];
        int64_t size, content_size;
};

static int64_t size_of(const char *path)
{
        struct stat status;

        return stat(path, &status) == 0 ? status.st_size : 0;
}

/* Hash a file to its end. Returns 0, PXR_VERIFY_STOPPED or -1. */
static int hash_all(const struct verification *v, struct pxr_input *input, struct pxr_sha256 *hash,
                    char *chunk, struct pxr_diag *diag)
{
        const char *path = pxr_input_path(input);
        int64_t all = size_of(path), got, read;
        char hex[PXR_SHA256_HEX];

        while ((got = pxr_input_read(input, chunk, CHUNK, diag)) > 0) {
                pxr_sha256_update(hash, chunk, (size_t)got);
                pxr_input_hash(input, hex, &read);
                if (pxr_observe_count(v->observer, path, "bytes", read, all))
                        return PXR_VERIFY_STOPPED;
        }
        return (int)got;
}

/* Read a file to its end. Returns 0, PXR_VERIFY_STOPPED or -1. */
static int read_through(const struct verification *v, const char *path, struct reading *reading,
                        struct pxr_diag *diag)
{
        struct pxr_input *input = pxr_input_open(NULL, path, diag);
        char *chunk = malloc(CHUNK);
        struct pxr_sha256 hash;
        int result = -1;

        pxr_sha256_init(&hash);
        if (input && !chunk)
                pxr_out_of_memory(diag);
        if (input && chunk)
                result = hash_all(v, input, &hash, chunk, diag);
        pxr_sha256_final(&hash, reading->content);
        if (input) {
                pxr_input_hash(input, reading->disk, &reading->size);
                reading->content_size = pxr_input_offset(input);
        }
        pxr_input_close(input);
        free(chunk);
        return result;
}

/* The entry of a list that a file is by its name; `packed`: with .gz behind the entry's name. */
static const struct pxr_official_file *entry(const struct pxr_official_file *list, const char *path,
                                             bool packed)
{
        const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;

        for (; list && list->name; list++) {
                size_t length = strlen(list->name);

                if (strncmp(list->name, name, length) == 0 &&
                    strcmp(name + length, packed ? ".gz" : "") == 0)
                        return list;
        }
        return NULL;
}

/* What a file should be: as it lies there, and its content where that is known apart. */
struct expected {
        const struct pxr_official_file *file, *content;
};

static struct expected expect(const struct pxr_data_format *set, const char *path)
{
        struct expected expected = { entry(set->official->files, path, false),
                                     entry(set->official->files, path, true) };

        if (!expected.file)
                expected.file = entry(set->official->unpacked, path, false);
        if (!expected.content)
                expected.content = entry(set->official->unpacked, path, true);
        return expected;
}

static void judge(const struct reading *reading, struct expected expected,
                  struct pxr_verified *verified, char *words, size_t room)
{
        const struct pxr_official_file *file = expected.file, *content = expected.content;
        int64_t size = content ? reading->content_size : reading->size;
        int64_t wanted = content ? content->size : file->size;

        verified->verdict = PXR_OFFICIAL;
        *words = '\0';
        if (file && strcmp(file->sha256, reading->disk) == 0)
                return;
        if (content && strcmp(content->sha256, reading->content) == 0) {
                snprintf(words, room, "packed otherwise, the content is official");
                return;
        }
        verified->verdict = size == wanted ? PXR_DAMAGED : PXR_NOT_OFFICIAL;
        if (size == wanted)
                snprintf(words, room, "of the right size, but other content");
        else
                snprintf(words, room, "%lld bytes%s, the official one has %lld", (long long)size,
                         content ? " unpacked" : "", (long long)wanted);
}

/* An error's text without the path it begins with. */
static const char *without_path(const char *text, const char *path)
{
        size_t length = strlen(path);

        return strncmp(text, path, length) == 0 && strncmp(text + length, ": ", 2) == 0
                       ? text + length + 2
                       : text;
}

/* Report a file. Returns 0, PXR_VERIFY_STOPPED or -1. */
static int check_file(struct verification *v, const char *path, struct pxr_diag *diag)
{
        struct expected expected = expect(v->set, path);
        struct pxr_verified verified = { .path = path };
        struct pxr_diag *own = pxr_diag_new();
        struct reading reading = { 0 };
        char words[256];
        int result;

        if (!own)
                return pxr_out_of_memory(diag);
        if (!expected.file && !expected.content) {
                pxr_diag_free(own);
                return pxr_user_error(diag, "%s: %s has no official file of this name", path,
                                      v->set->name);
        }
        result = read_through(v, path, &reading, own);
        if (result == 0) {
                judge(&reading, expected, &verified, words, sizeof words);
                strcpy(verified.sha256, reading.disk);
        } else if (result == -1) {
                verified.verdict = PXR_DAMAGED;
                snprintf(words, sizeof words, "%s", without_path(pxr_diag_text(own, 0), path));
        }
        pxr_diag_free(own);
        if (result == PXR_VERIFY_STOPPED)
                return result;
        verified.words = words;
        verified.size = reading.size;
        v->failures += verified.verdict != PXR_OFFICIAL;
        v->report(v->context, &verified);
        return 0;
}

/* --- a folder ----------------------------------------------------------------------------------*/

static bool exists(const char *path)
{
        struct stat status;

        return stat(path, &status) == 0;
}

/* Where an official file lies in the folder: itself, or packed. False: nowhere. */
static bool locate(const char *folder, const char *name, char path[PATH_MAX])
{
        snprintf(path, PATH_MAX, "%s/%s.gz", folder, name);
        if (exists(path))
                return true;
        snprintf(path, PATH_MAX, "%s/%s", folder, name);
        return exists(path);
}

static bool has_any(const char *folder, const struct pxr_official_file *list)
{
        char path[PATH_MAX];

        for (; list && list->name; list++)
                if (locate(folder, list->name, path))
                        return true;
        return false;
}

static int check_list(struct verification *v, const char *folder,
                      const struct pxr_official_file *list, struct pxr_diag *diag)
{
        for (; list->name; list++) {
                struct pxr_verified missing = { .verdict = PXR_MISSING, .words = "" };
                char path[PATH_MAX];

                if (!locate(folder, list->name, path)) {
                        missing.path = path;
                        v->failures++;
                        v->report(v->context, &missing);
                } else {
                        int result = check_file(v, path, diag);

                        if (result != 0)
                                return result;
                }
        }
        return 0;
}

/* The folder an archive unpacks to may stand between. */
static const char *inner_folder(const struct pxr_data_format *set, const char *folder,
                                char path[PATH_MAX])
{
        if (!set->official->unpacked_in)
                return folder;
        snprintf(path, PATH_MAX, "%s/%s", folder, set->official->unpacked_in);
        return exists(path) ? path : folder;
}

/* The form in which the set lies in the folder: its list, and the folder of these files. */
static const struct pxr_official_file *find_form(const struct pxr_data_format *set,
                                                 const char *folder, char inner_path[PATH_MAX],
                                                 const char **files_folder)
{
        const char *inner = inner_folder(set, folder, inner_path);
        bool unpacked =
                !has_any(folder, set->official->files) && has_any(inner, set->official->unpacked);

        *files_folder = unpacked ? inner : folder;
        return unpacked ? set->official->unpacked : set->official->files;
}

int pxr_verify(const struct pxr_data_format *set, const char *path,
               const struct pxr_observer *observer,
               void (*report)(void *context, const struct pxr_verified *file), void *context,
               struct pxr_diag *diag)
{
        struct verification v = {
                .set = set, .observer = observer, .report = report, .context = context
        };
        const struct pxr_official_file *list;
        const char *folder;
        char inner[PATH_MAX];
        struct stat status;
        int result;

        if (stat(path, &status))
                return pxr_file_error(path, "cannot be opened", errno, diag);
        if (S_ISDIR(status.st_mode)) {
                list = find_form(set, path, inner, &folder);
                result = check_list(&v, folder, list, diag);
        } else {
                result = check_file(&v, path, diag);
        }
        return result ? result : v.failures;
}

int pxr_official_present(const struct pxr_data_format *set, const char *folder, int *all)
{
        char inner[PATH_MAX], path[PATH_MAX];
        const struct pxr_official_file *list = find_form(set, folder, inner, &folder);
        int present = 0;

        for (*all = 0; list->name; list++, ++*all)
                present += locate(folder, list->name, path);
        return present;
}
