/* SPDX-License-Identifier: MIT */
/*
 * archive.c - reading a tar or zip file entry by entry.
 *
 * The bytes come from an input, which hashes and decompresses them. Unlike libarchive's gzip filter
 * it verifies the check sum at the end.
 */
#include "config.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/archive.h"

enum { CHUNK = 1 << 16 };

struct pxr_archive {
        struct pxr_reader *input;
        struct archive *archive;
        struct archive_entry *entry;
        const char *name;      /* of the entry */
        struct pxr_diag *diag; /* of the current call */
        bool reported;         /* the input has recorded an error there */
        int64_t unpacked;      /* bytes of all entries so far */
        char chunk[CHUNK];
};

static la_ssize_t on_read(struct archive *archive, void *context, const void **bytes)
{
        struct pxr_archive *own = context;
        int64_t got = pxr_reader_read(own->input, own->chunk, CHUNK, own->diag);

        if (got < 0) {
                own->reported = true;
                archive_set_error(archive, EIO, "cannot be read");
        }
        *bytes = own->chunk;
        return got;
}

/* Record libarchive's error, unless the input has recorded its own. */
static int complain(struct pxr_archive *archive, const char *where, struct pxr_diag *diag)
{
        const char *what = archive_error_string(archive->archive);

        if (archive->reported)
                return -1;
        /* libarchive gives no message for some faults, among them lack of memory: malloc() sets
         * errno. */
        if (archive_errno(archive->archive) == ENOMEM || (!what && errno == ENOMEM))
                return pxr_out_of_memory(diag);
        return pxr_user_error(diag, "%s: %s%sbefore byte %lld: invalid tar or zip file: %s",
                              pxr_reader_path(archive->input), where ? where : "",
                              where ? ": " : "", (long long)pxr_reader_offset(archive->input),
                              what ? what : "unknown error");
}

struct pxr_archive *pxr_archive_open(const char *path, struct pxr_diag *diag)
{
        struct pxr_archive *archive = calloc(1, sizeof *archive);

        if (!archive) {
                pxr_out_of_memory(diag);
                return NULL;
        }
        archive->diag = diag;
        archive->input = pxr_reader_open(NULL, path, diag);
        archive->archive = archive->input ? archive_read_new() : NULL;
        if (archive->input && !archive->archive)
                pxr_out_of_memory(diag);
        if (!archive->archive) {
                pxr_archive_close(archive);
                return NULL;
        }
        archive->entry = archive_entry_new2(archive->archive);
        if (!archive->entry || archive_read_support_format_tar(archive->archive) != ARCHIVE_OK ||
            archive_read_support_format_zip_streamable(archive->archive) != ARCHIVE_OK) {
                pxr_out_of_memory(diag);
                pxr_archive_close(archive);
                return NULL;
        }
        archive_read_set_read_callback(archive->archive, on_read);
        /* archive_read_open() would go on without memory for this. */
        if (archive_read_set_callback_data(archive->archive, archive) != ARCHIVE_OK ||
            archive_read_open1(archive->archive) != ARCHIVE_OK) {
                complain(archive, NULL, diag);
                pxr_archive_close(archive);
                return NULL;
        }
        return archive;
}

int pxr_archive_next(struct pxr_archive *archive, const char **name, struct pxr_diag *diag)
{
        archive->diag = diag;
        for (;;) {
                int result = archive_read_next_header2(archive->archive, archive->entry);

                /* libarchive ignores read errors after the end marker. */
                if (result == ARCHIVE_EOF)
                        return archive->reported ? -1 : 0;
                /* Warnings are about names and attributes that are not used here. */
                if (result != ARCHIVE_OK && result != ARCHIVE_WARN)
                        return complain(archive, NULL, diag);
                archive->name = archive_entry_pathname_utf8(archive->entry);
                if (!archive->name)
                        archive->name = archive_entry_pathname(archive->entry);
                if (archive->name && archive_entry_filetype(archive->entry) == AE_IFREG) {
                        *name = archive->name;
                        return 1;
                }
        }
}

int64_t pxr_archive_size(const struct pxr_archive *archive)
{
        return archive_entry_size_is_set(archive->entry) ? archive_entry_size(archive->entry) : -1;
}

static int64_t read_entry(void *context, void *bytes, size_t size, struct pxr_diag *diag)
{
        struct pxr_archive *archive = context;
        la_ssize_t got;

        archive->diag = diag;
        got = archive_read_data(archive->archive, bytes, size);
        if (got < 0)
                return complain(archive, archive->name, diag);
        archive->unpacked += got;
        return pxr_reader_limit(archive->input, archive->unpacked, diag) ? -1 : got;
}

struct pxr_reader *pxr_archive_entry(struct pxr_archive *archive, struct pxr_diag *diag)
{
        return pxr_reader_from(pxr_reader_path(archive->input), archive->name, read_entry, archive,
                               diag);
}

struct pxr_reader *pxr_archive_file(struct pxr_archive *archive)
{
        return archive->input;
}

void pxr_archive_close(struct pxr_archive *archive)
{
        if (!archive)
                return;
        archive_entry_free(archive->entry);
        archive_read_free(archive->archive);
        pxr_reader_close(archive->input);
        free(archive);
}
