/* SPDX-License-Identifier: MIT */
/* official.c - comparing the files of a data set with the official ones. */
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "data/reader.h"
#include "data/official.h"

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

/* --- one file ----------------------------------------------------------------------------------*/

struct verification {
        const struct pxr_data_format *set;
        void (*report)(void *context, const struct pxr_verified *file);
        void *context;
        const struct pxr_observer *observer;
        int failures; /* files that are not official */
};

/* A file as it was read. */
struct reading {
        char disk[PXR_SHA256_HEX], content[PXR_SHA256_HEX];
        int64_t size, content_size;
};

/* Read a file to its end. Returns 0, PXR_VERIFY_STOPPED or -1. */
static int read_through(const struct verification *v, const char *path, struct reading *reading,
                        struct pxr_diag *diag)
{
        struct pxr_reader *input = pxr_reader_open(NULL, path, diag);
        struct pxr_sha256 hash;
        struct stat status;
        char chunk[1 << 16];
        int64_t got;

        if (!input)
                return -1;
        status.st_size = stat(path, &status) == 0 ? status.st_size : 0;
        pxr_sha256_init(&hash);
        while ((got = pxr_reader_read(input, chunk, sizeof chunk, diag)) > 0) {
                pxr_sha256_update(&hash, chunk, (size_t)got);
                pxr_reader_hash(input, reading->disk, &reading->size);
                if (pxr_observe_count(v->observer, path, "bytes", reading->size, status.st_size)) {
                        got = PXR_VERIFY_STOPPED;
                        break;
                }
        }
        pxr_sha256_final(&hash, reading->content);
        pxr_reader_hash(input, reading->disk, &reading->size);
        reading->content_size = pxr_reader_offset(input);
        pxr_reader_close(input);
        return (int)got;
}

/* `file` describes the file as it lies there, `content` what it unpacks to; one may be NULL. */
static void judge(const struct reading *reading, const struct pxr_official_file *file,
                  const struct pxr_official_file *content, struct pxr_verified *verified)
{
        char *text = verified->text;
        size_t room = sizeof verified->text;
        int64_t size = content ? reading->content_size : reading->size;
        int64_t expected = content ? content->size : file->size;

        verified->verdict = PXR_OFFICIAL;
        if (file && strcmp(file->sha256, reading->disk) == 0)
                return;
        if (content && strcmp(content->sha256, reading->content) == 0) {
                snprintf(text, room, "compressed differently, but with the official content");
                return;
        }
        verified->verdict = size == expected ? PXR_DAMAGED : PXR_NOT_OFFICIAL;
        if (size == expected)
                snprintf(text, room, "the size is right, but the content differs");
        else
                snprintf(text, room, "expected %lld bytes%s, got %lld", (long long)expected,
                         content ? " after decompression" : "", (long long)size);
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
        struct pxr_verified verified = { .path = path };
        char name[NAME_MAX + 1];
        const struct pxr_official_file *file, *content = NULL;
        struct reading reading = { 0 };
        struct pxr_diag *own;
        int result;

        snprintf(name, sizeof name, "%s", basename(path));
        file = pxr_official_file(v->set, name);
        if (strlen(name) > 3 && strcmp(name + strlen(name) - 3, ".gz") == 0) {
                name[strlen(name) - 3] = '\0';
                content = pxr_official_file(v->set, name);
        }
        if (!file && !content)
                return pxr_user_error(diag, "%s: %s has no official file of this name", path,
                                      v->set->name);
        own = pxr_diag_new();
        if (!own)
                return pxr_out_of_memory(diag);
        result = read_through(v, path, &reading, own);
        if (result == 0) {
                judge(&reading, file, content, &verified);
                strcpy(verified.sha256, reading.disk);
        } else if (result == -1) {
                verified.verdict = PXR_DAMAGED;
                snprintf(verified.text, sizeof verified.text, "%s",
                         without_path(pxr_diag_text(own, 0), path));
        }
        pxr_diag_free(own);
        if (result == PXR_VERIFY_STOPPED)
                return result;
        verified.size = reading.size;
        v->failures += verified.verdict != PXR_OFFICIAL;
        v->report(v->context, &verified);
        return 0;
}

/* --- a folder ----------------------------------------------------------------------------------*/

/* The path of an official file in the folder, compressed or not. False: it is missing. */
static bool locate(const char *folder, const char *name, char path[PATH_MAX])
{
        return (snprintf(path, PATH_MAX, "%s/%s.gz", folder, name) < PATH_MAX &&
                access(path, F_OK) == 0) ||
               (snprintf(path, PATH_MAX, "%s/%s", folder, name) < PATH_MAX &&
                access(path, F_OK) == 0);
}

static int count_present(const char *folder, const struct pxr_official_file *list)
{
        char path[PATH_MAX];
        int present = 0;

        for (; list && list->name; list++)
                present += locate(folder, list->name, path);
        return present;
}

/* The form in which the set lies in the folder: the list of its files, and their folder. */
static const struct pxr_official_file *find_form(const struct pxr_data_format *set,
                                                 const char *folder, char files_folder[PATH_MAX])
{
        const struct pxr_official *official = set->official;

        if (official->unpacked_in)
                snprintf(files_folder, PATH_MAX, "%s/%s", folder, official->unpacked_in);
        if (!official->unpacked_in || access(files_folder, F_OK) != 0)
                snprintf(files_folder, PATH_MAX, "%s", folder);
        if (count_present(folder, official->files) == 0 &&
            count_present(files_folder, official->unpacked) > 0)
                return official->unpacked;
        snprintf(files_folder, PATH_MAX, "%s", folder);
        return official->files;
}

static int check_folder(struct verification *v, const char *folder, struct pxr_diag *diag)
{
        char files_folder[PATH_MAX], path[PATH_MAX];
        const struct pxr_official_file *file = find_form(v->set, folder, files_folder);
        int result = 0;

        for (; file->name && result == 0; file++) {
                if (locate(files_folder, file->name, path)) {
                        result = check_file(v, path, diag);
                } else {
                        v->failures++;
                        v->report(v->context,
                                  &(struct pxr_verified) { .path = path, .verdict = PXR_MISSING });
                }
        }
        return result;
}

int pxr_verify(const struct pxr_data_format *set, const char *path,
               const struct pxr_observer *observer,
               void (*report)(void *context, const struct pxr_verified *file), void *context,
               struct pxr_diag *diag)
{
        struct verification v = {
                .set = set, .observer = observer, .report = report, .context = context
        };
        struct stat status;
        int result;

        if (stat(path, &status))
                return pxr_file_error(path, "open", errno, diag);
        result =
                S_ISDIR(status.st_mode) ? check_folder(&v, path, diag) : check_file(&v, path, diag);
        return result ? result : v.failures;
}

int pxr_official_present(const struct pxr_data_format *set, const char *folder, int *all)
{
        char files_folder[PATH_MAX];
        const struct pxr_official_file *list = find_form(set, folder, files_folder);

        for (*all = 0; list[*all].name; ++*all)
                ;
        return count_present(files_folder, list);
}
