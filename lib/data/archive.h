/* SPDX-License-Identifier: MIT */
/*
 * archive.h - reading a tar (plain or gzip) or zip file entry by entry, in the order of the file.
 *
 * Nothing is unpacked to disk.
 */
#ifndef PXR_DATA_ARCHIVE_H
#define PXR_DATA_ARCHIVE_H

#include "data/reader.h"

struct pxr_archive;

/* NULL after an error that names the file. */
struct pxr_archive *pxr_archive_open(const char *path, struct pxr_diag *diag);

/* Go to the next entry that is a file. Returns 1 and its name within the archive, which lasts
 * until the next call; 0 at the end; or -1 after an error. */
int pxr_archive_next(struct pxr_archive *archive, const char **name, struct pxr_diag *diag);

/* The size of the entry by its header; -1 if that has none. */
int64_t pxr_archive_size(const struct pxr_archive *archive);

/* The content of the entry, to be closed before the next one. NULL after an error. */
struct pxr_reader *pxr_archive_entry(struct pxr_archive *archive, struct pxr_diag *diag);

/* The file of the archive itself, to be read to its end and recorded when no more is wanted. */
struct pxr_reader *pxr_archive_file(struct pxr_archive *archive);

/* NULL is allowed. */
void pxr_archive_close(struct pxr_archive *archive);

#endif
