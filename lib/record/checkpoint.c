/* SPDX-License-Identifier: MIT */
/* checkpoint.c - the files of checkpoints: written, recorded, verified, read, removed. */
#include "record/checkpoint.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "record/cursor.h"
#include "record/folder.h"

/* --- contents ----------------------------------------------------------------------------------
 */

static char *array_name(struct pxr_arena *arena, const struct pxr_checkpoint_values *values,
                        const char *name)
{
        size_t length = strlen(values->prefix);
        const char *dot = length && values->prefix[length - 1] != '.' ? "." : "";

        return pxr_strf(arena, "%s%s%s", values->prefix, dot, name);
}

int pxr_checkpoint_fill(struct pxr_arena *arena, const struct pxr_graph *graph,
                        const struct pxr_checkpoint_values *values, int count,
                        struct pxr_safetensors *file)
{
        file->array =
                pxr_alloc_array(arena, (size_t)count * graph->parameters + 1, sizeof(*file->array));
        if (!file->array)
                return -1;
        for (int i = 0; i < count; i++)
                for (const struct pxr_parameter *p = graph->parameter; p; p = p->next) {
                        struct pxr_array *array = &file->array[file->arrays++];

                        array->name = array_name(arena, &values[i], p->name);
                        array->rank = p->rank;
                        array->data = values[i].values + p->offset;
                        for (int k = 0; k < p->rank; k++)
                                array->shape[k] = p->shape[k];
                }
        return pxr_arena_failed(arena) ? -1 : 0;
}

/* The array of a parameter in a file, NULL after an error. */
static const struct pxr_array *find_array(struct pxr_arena *arena,
                                          const struct pxr_safetensors *file,
                                          const struct pxr_checkpoint_values *values,
                                          const struct pxr_parameter *p, struct pxr_diag *diag)
{
        char *name = array_name(arena, values, p->name);
        const struct pxr_array *array = pxr_safetensors_array(file, name);

        if (array && pxr_array_size(array) == p->size)
                return array;
        pxr_user_error(diag, "%s: '%s' is missing or of another shape", file->path, name);
        return NULL;
}

int pxr_checkpoint_copy(struct pxr_arena *arena, const struct pxr_graph *graph,
                        const struct pxr_safetensors *file,
                        const struct pxr_checkpoint_values *values, int count,
                        struct pxr_diag *diag)
{
        for (int copy = 0; copy < 2; copy++)
                for (int i = 0; i < count; i++)
                        for (const struct pxr_parameter *p = graph->parameter; p; p = p->next) {
                                const struct pxr_array *array =
                                        find_array(arena, file, &values[i], p, diag);

                                if (!array)
                                        return -1;
                                if (copy)
                                        memcpy(values[i].values + p->offset, array->data,
                                               p->size * sizeof(float));
                        }
        return 0;
}

int pxr_checkpoint_number(const struct pxr_safetensors *file, const char *key, int64_t most,
                          int64_t *value, struct pxr_diag *diag)
{
        const char *text = pxr_safetensors_text(file, key);
        char *end;

        *value = 0;
        if (!text)
                return 0;
        errno = 0;
        *value = strtoll(text, &end, 10);
        if (end != text && !*end && !errno && *value >= 0 && *value <= most)
                return 0;
        return pxr_user_error(diag,
                              "%s: '%s' is '%.40s' in its metadata: expected a whole number from 0 "
                              "to %" PRId64,
                              file->path, key, text, most);
}

/* --- saving ------------------------------------------------------------------------------------
 */

/* A run's folder; paths on record are relative to the database's folder. */
struct files {
        struct pxr_arena *arena;
        struct pxr_store *store;
        int64_t run;
        const char *folder;
};

static struct files files_of(struct pxr_arena *arena, struct pxr_store *store, int64_t run,
                             const char *uid)
{
        return (struct files) { arena, store, run,
                                pxr_run_folder(arena, pxr_store_path(store), run, uid) };
}

static char *to_open(const struct files *files, const char *relative)
{
        return pxr_beside_database(files->arena, pxr_store_path(files->store), relative);
}

static char *relative_file(const struct files *files, int64_t step)
{
        return pxr_strf(files->arena, "%s/step-%08" PRId64 ".safetensors", files->folder, step);
}

char *pxr_checkpoint_path(struct pxr_arena *arena, struct pxr_store *store, int64_t run,
                          const char *uid, int64_t step)
{
        const struct files files = files_of(arena, store, run, uid);

        return to_open(&files, relative_file(&files, step));
}

/* Remove files of the run's own folder that are not on record: of deleted rows, of a killed
 * process, and of steps that a resumed run went back behind. Only after a later checkpoint is on
 * record. Files elsewhere stay: the database was renamed or copied, and the original needs them. */
static int remove_unlisted(const struct files *files, struct pxr_diag *diag)
{
        const char *path = to_open(files, files->folder);
        DIR *stream = pxr_is_real_run_folder(path) ? opendir(path) : NULL;
        struct dirent *entry;
        int64_t listed = 0;
        int status = 0;

        while (stream && !status && (entry = readdir(stream))) {
                char *relative = pxr_strf(files->arena, "%s/%s", files->folder, entry->d_name);
                char *full = to_open(files, relative);

                if (strncmp(entry->d_name, "step-", 5) != 0)
                        continue;
                status = pxr_store_integer(files->store, &listed, diag,
                                           "SELECT 1 FROM checkpoint WHERE run = ? AND path = ?",
                                           "it", files->run, relative);
                if (!status && !listed && !pxr_arena_failed(files->arena))
                        unlink(full);
        }
        if (stream)
                closedir(stream);
        return status;
}

/* Another process that claimed the run removes files that are not on record, also while this one
 * writes them: then the lost claim is the error. */
static int write_and_hash(const struct files *files, const char *path, struct pxr_safetensors *file,
                          char hex[PXR_SHA256_HEX], struct pxr_diag *diag)
{
        struct pxr_diag *own = pxr_diag_new();
        int status = own ? 0 : pxr_out_of_memory(diag);

        if (own && (pxr_safetensors_write(path, file, own) || pxr_sha256_file(path, hex, own))) {
                status = -1;
                if (!pxr_store_check_claim(files->store, files->run, diag))
                        pxr_system_error(diag, "%s", pxr_diag_first_error(own));
        }
        pxr_diag_free(own);
        return status;
}

int pxr_checkpoint_write(struct pxr_arena *arena, struct pxr_store *store, int64_t run,
                         const char *uid, struct pxr_safetensors *file,
                         struct pxr_checkpoint_row *row, struct pxr_diag *diag)
{
        const struct files files = files_of(arena, store, run, uid);
        const char *folder = to_open(&files, files.folder);
        const char *relative = relative_file(&files, row->step), *path = to_open(&files, relative);
        char *hex = pxr_alloc(arena, PXR_SHA256_HEX);
        struct stat status;

        if (pxr_arena_failed(arena) || pxr_store_check_claim(store, run, diag) ||
            pxr_make_run_folder(folder, diag) || write_and_hash(&files, path, file, hex, diag))
                return -1;
        row->path = relative;
        row->sha256 = hex;
        row->size = stat(path, &status) == 0 ? status.st_size : 0;
        return 0;
}

int pxr_checkpoint_recorded(struct pxr_arena *arena, struct pxr_store *store, int64_t run,
                            const char *uid, struct pxr_diag *diag)
{
        const struct files files = files_of(arena, store, run, uid);

        pxr_store_flush(store);
        return remove_unlisted(&files, diag);
}

/* --- reading -----------------------------------------------------------------------------------
 */

/* Whether the file is of the step of its row, or was put there for another. */
static int check_step(const struct pxr_safetensors *file, const struct pxr_checkpoint_row *row,
                      struct pxr_diag *diag)
{
        int64_t step;

        if (pxr_checkpoint_number(file, "step", INT64_MAX, &step, diag))
                return -1;
        if (step == row->step && pxr_safetensors_text(file, "step"))
                return 0;
        return pxr_user_error(diag,
                              "%s: it is of step %" PRId64 " by its metadata, and of step %" PRId64
                              " on record",
                              file->path, step, row->step);
}

struct pxr_safetensors *pxr_checkpoint_open(struct pxr_arena *arena, const char *database,
                                            const struct pxr_checkpoint_row *row,
                                            struct pxr_diag *diag)
{
        char *path = pxr_beside_database(arena, database, row->path), hex[PXR_SHA256_HEX];
        struct pxr_safetensors *file;

        if (pxr_arena_failed(arena) || pxr_sha256_file(path, hex, diag))
                return NULL;
        if (strcmp(hex, row->sha256) != 0) {
                pxr_user_error(diag,
                               "%s: it is not what was saved: its SHA-256 differs from the "
                               "one on record",
                               path);
                return NULL;
        }
        file = pxr_safetensors_read(arena, path, diag);
        return file && !check_step(file, row, diag) ? file : NULL;
}

int pxr_checkpoint_read(struct pxr_arena *arena, const char *database,
                        const struct pxr_checkpoint_row *row, const struct pxr_graph *graph,
                        bool average, float *parameters, struct pxr_diag *diag)
{
        const struct pxr_checkpoint_values values = { average ? "average." : "", parameters };
        struct pxr_safetensors *file = pxr_checkpoint_open(arena, database, row, diag);

        return file ? pxr_checkpoint_copy(arena, graph, file, &values, 1, diag) : -1;
}

void pxr_hash_parameters(const float *parameters, size_t size, char hex[PXR_SHA256_HEX])
{
        pxr_sha256(parameters, size * sizeof(float), hex);
}
