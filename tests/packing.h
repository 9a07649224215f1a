/* SPDX-License-Identifier: MIT */
/* packing.h - archives for tests, written by libarchive. */
#ifndef PXR_TESTS_PACKING_H
#define PXR_TESTS_PACKING_H

#include <archive.h>
#include <archive_entry.h>

#include "scratch.h"

struct packed {
        const char *name;
        const void *bytes; /* NULL: a folder */
        size_t size;
};

/* An archive whose format and filter are set, with these entries (ended by a NULL name). */
static inline void pack_as(struct archive *archive, const char *path, const struct packed *entries)
{
        ck_assert_int_eq(archive_write_open_filename(archive, path), ARCHIVE_OK);
        for (; entries->name; entries++) {
                struct archive_entry *entry = archive_entry_new();

                archive_entry_set_pathname(entry, entries->name);
                archive_entry_set_filetype(entry, entries->bytes ? AE_IFREG : AE_IFDIR);
                archive_entry_set_perm(entry, 0600);
                archive_entry_set_size(entry, (la_int64_t)entries->size);
                ck_assert_int_eq(archive_write_header(archive, entry), ARCHIVE_OK);
                if (entries->bytes)
                        ck_assert_int_eq(archive_write_data(archive, entries->bytes, entries->size),
                                         (la_ssize_t)entries->size);
                archive_entry_free(entry);
        }
        ck_assert_int_eq(archive_write_close(archive), ARCHIVE_OK);
        archive_write_free(archive);
}

static inline void pack_tar(const char *path, bool gzip, const struct packed *entries)
{
        struct archive *archive = archive_write_new();

        archive_write_set_format_ustar(archive);
        if (gzip)
                archive_write_add_filter_gzip(archive);
        pack_as(archive, path, entries);
}

/* `store`: without compression. */
static inline void pack_zip(const char *path, bool store, const struct packed *entries)
{
        struct archive *archive = archive_write_new();

        archive_write_set_format_zip(archive);
        if (store)
                archive_write_zip_set_compression_store(archive);
        else
                archive_write_zip_set_compression_deflate(archive);
        pack_as(archive, path, entries);
}

#endif
