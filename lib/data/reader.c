/* SPDX-License-Identifier: MIT */
/*
 * reader.c - reading a file of data: plain or gzip, hashed, with offsets; and tar and zip files.
 *
 * Archives are read by libarchive, but decompressed here: unlike its gzip filter, this verifies the
 * check sum at the end.
 */
#include "config.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/file.h"
#include "data/reader.h"

enum { BUFFER = 1 << 16 };

struct pxr_reader {
        char path[2 * PATH_MAX]; /* "PATH: NAME" of an entry */
        FILE *file;
        bool gzip;
        bool between; /* gzip: between members, where the file may end */
        int64_t disk; /* bytes read from disk */
        int64_t most; /* bytes that may be unpacked */
        int64_t offset;
        z_stream stream; /* next_in, avail_in: bytes read but not used, gzip or not */
        struct pxr_sha256 hash;
        struct pxr_archive *archive; /* whose entry this is; NULL: a file */
        unsigned char buffer[BUFFER];
};

struct pxr_archive {
        struct pxr_reader *input;
        struct archive *archive;
        struct archive_entry *entry;
        const char *name;          /* of the entry */
        struct pxr_reader content; /* of the entry */
        struct pxr_diag *diag;     /* of the current call */
        bool reported;             /* the input has recorded an error in diag */
        int64_t unpacked;          /* bytes of all entries so far */
        char chunk[BUFFER];
};

/* --- opening -----------------------------------------------------------------------------------*/

/* Find `folder`/`name` or `folder`/`name`.gz. */
static bool find(const char *folder, const char *name, char path[PATH_MAX])
{
        for (int packed = 0; packed < 2; packed++) {
                int length = snprintf(path, PATH_MAX, "%s%s%s%s", folder ? folder : "",
                                      folder ? "/" : "", name, packed ? ".gz" : "");

                if (length < PATH_MAX && (access(path, F_OK) == 0 || errno != ENOENT))
                        return true;
        }
        return false;
}

bool pxr_reader_finds(const char *folder, const char *name)
{
        char path[PATH_MAX];

        return find(folder, name, path);
}

static int report_missing(const char *folder, const char *name, struct pxr_diag *diag)
{
        struct stat status;

        if (!folder)
                return pxr_user_error(diag, "%s: no such file or folder", name);
        if (stat(folder, &status))
                return pxr_user_error(diag, "%s: no such folder", folder);
        pxr_user_error(diag, "%s: contains neither %s nor %s.gz", folder, name, name);
        if (pxr_diag_errors(diag) == 1) /* once for all splits */
                pxr_note(diag, "the folder must have every split that 'splits' of the spec names "
                               "(default: train, valid and test)");
        return -1;
}

/* Read more from disk; all that was read before is used. */
static int fill(struct pxr_reader *input, struct pxr_diag *diag)
{
        size_t got = fread(input->buffer, 1, BUFFER, input->file);

        input->stream.next_in = input->buffer;
        input->stream.avail_in = (unsigned)got;
        input->disk += (int64_t)got;
        pxr_sha256_update(&input->hash, input->buffer, got);
        if (ferror(input->file))
                return pxr_system_error(diag, "cannot read %s: %s", input->path, strerror(errno));
        return 0;
}

static int look_for_gzip(struct pxr_reader *input, struct pxr_diag *diag)
{
        const z_stream *z = &input->stream;
        size_t length = strlen(input->path);

        if (fill(input, diag))
                return -1;
        input->gzip = z->avail_in >= 2 && z->next_in[0] == 0x1F && z->next_in[1] == 0x8B;
        if (input->gzip && inflateInit2(&input->stream, 15 + 16) != Z_OK) {
                input->gzip = false;
                return pxr_out_of_memory(diag);
        }
        if (!input->gzip && length > 3 && strcmp(input->path + length - 3, ".gz") == 0)
                return pxr_user_error(diag,
                                      input->disk ? "%s: byte 0: not a gzip file"
                                                  : "%s: byte 0: the file is empty",
                                      input->path);
        return 0;
}

static int open_file(struct pxr_reader *input, const char *folder, const char *name,
                     struct pxr_diag *diag)
{
        struct stat status;

        if (!find(folder, name, input->path))
                return report_missing(folder, name, diag);
        input->file = pxr_file_open(input->path, diag);
        if (!input->file)
                return -1;
        if (fstat(fileno(input->file), &status) == 0)
                input->most = pxr_unpacked_most(status.st_size);
        return look_for_gzip(input, diag);
}

struct pxr_reader *pxr_reader_open(const char *folder, const char *name, struct pxr_diag *diag)
{
        struct pxr_reader *input = calloc(1, sizeof *input);

        if (!input) {
                pxr_out_of_memory(diag);
                return NULL;
        }
        pxr_sha256_init(&input->hash);
        if (open_file(input, folder, name, diag)) {
                pxr_reader_close(input);
                return NULL;
        }
        return input;
}

void pxr_reader_close(struct pxr_reader *input)
{
        if (!input)
                return;
        if (input->gzip)
                inflateEnd(&input->stream);
        if (input->file)
                fclose(input->file);
        free(input);
}

/* --- reading -----------------------------------------------------------------------------------*/

static int64_t read_plain(struct pxr_reader *input, void *bytes, size_t size, struct pxr_diag *diag)
{
        z_stream *z = &input->stream;

        if (z->avail_in == 0 && fill(input, diag))
                return -1;
        if (size > z->avail_in)
                size = z->avail_in;
        memcpy(bytes, z->next_in, size);
        z->next_in += size;
        z->avail_in -= (unsigned)size;
        return (int64_t)size;
}

/* Decompress what is in the buffer, which is not empty. */
static int inflate_some(struct pxr_reader *input, struct pxr_diag *diag)
{
        z_stream *z = &input->stream;
        int result;

        if (input->between && z->next_in[0] != 0x1F)
                return pxr_user_error(diag, "%s: byte %lld on disk: junk after the gzip data",
                                      input->path, (long long)(input->disk - z->avail_in));
        if (input->between)
                inflateReset(z);
        result = inflate(z, Z_NO_FLUSH);
        if (result == Z_MEM_ERROR)
                return pxr_out_of_memory(diag);
        if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR)
                return pxr_user_error(diag, "%s: byte %lld on disk: corrupt gzip data: %s",
                                      input->path, (long long)(input->disk - z->avail_in),
                                      z->msg ? z->msg : "unknown error");
        input->between = result == Z_STREAM_END;
        return 0;
}

static int64_t read_gzip(struct pxr_reader *input, void *bytes, size_t size, struct pxr_diag *diag)
{
        z_stream *z = &input->stream;

        z->next_out = bytes;
        z->avail_out = (unsigned)size;
        while (z->avail_out == size) {
                if (z->avail_in == 0 && fill(input, diag))
                        return -1;
                if (z->avail_in == 0 && input->between)
                        return 0;
                if (z->avail_in == 0)
                        return pxr_user_error(diag,
                                              "%s: byte %lld on disk: unexpected end of gzip data "
                                              "(truncated?)",
                                              input->path, (long long)input->disk);
                if (inflate_some(input, diag))
                        return -1;
        }
        return (int64_t)size - z->avail_out;
}

int pxr_reader_limit(const struct pxr_reader *input, int64_t bytes, struct pxr_diag *diag)
{
        if (bytes <= input->most)
                return 0;
        pxr_user_error(diag, "%s: decompresses to more than %d times its size", input->path,
                       PXR_UNPACKED_TIMES);
        pxr_note(diag, "such files are made to fill memory or disk; if you trust it, unpack "
                       "it yourself");
        return -1;
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
                              archive->input->path, where ? where : "", where ? ": " : "",
                              (long long)archive->input->offset, what ? what : "unknown error");
}

static int64_t read_entry(struct pxr_archive *archive, void *bytes, size_t size,
                          struct pxr_diag *diag)
{
        la_ssize_t got;

        archive->diag = diag;
        got = archive_read_data(archive->archive, bytes, size);
        if (got < 0)
                return complain(archive, archive->name, diag);
        archive->unpacked += got;
        return pxr_reader_limit(archive->input, archive->unpacked, diag) ? -1 : got;
}

int64_t pxr_reader_read(struct pxr_reader *input, void *bytes, size_t size, struct pxr_diag *diag)
{
        int64_t got;

        if (size > 1 << 30)
                size = 1 << 30; /* zlib counts in unsigned int */
        if (input->archive)
                got = read_entry(input->archive, bytes, size, diag);
        else
                got = input->gzip ? read_gzip(input, bytes, size, diag)
                                  : read_plain(input, bytes, size, diag);
        if (got > 0)
                input->offset += got;
        return input->gzip && pxr_reader_limit(input, input->offset, diag) ? -1 : got;
}

int64_t pxr_reader_read_all(struct pxr_reader *input, void *bytes, size_t size,
                            struct pxr_diag *diag)
{
        size_t done = 0;

        while (done < size) {
                int64_t got = pxr_reader_read(input, (char *)bytes + done, size - done, diag);

                if (got < 0)
                        return -1;
                if (got == 0)
                        break;
                done += (size_t)got;
        }
        return (int64_t)done;
}

const char *pxr_reader_path(const struct pxr_reader *input)
{
        return input->path;
}

int64_t pxr_reader_offset(const struct pxr_reader *input)
{
        return input->offset;
}

void pxr_reader_hash(const struct pxr_reader *input, char hex[PXR_SHA256_HEX], int64_t *size)
{
        struct pxr_sha256 hash = input->hash;

        pxr_sha256_final(&hash, hex);
        *size = input->disk;
}

/* --- archives ----------------------------------------------------------------------------------*/

static la_ssize_t on_read(struct archive *archive, void *context, const void **bytes)
{
        struct pxr_archive *own = context;
        int64_t got = pxr_reader_read(own->input, own->chunk, BUFFER, own->diag);

        if (got < 0) {
                own->reported = true;
                archive_set_error(archive, EIO, "cannot be read");
        }
        *bytes = own->chunk;
        return got;
}

/* Have libarchive read from the input. */
static int begin_archive(struct pxr_archive *archive, struct pxr_diag *diag)
{
        archive->archive = archive_read_new();
        archive->entry = archive->archive ? archive_entry_new2(archive->archive) : NULL;
        if (!archive->entry || archive_read_support_format_tar(archive->archive) != ARCHIVE_OK ||
            archive_read_support_format_zip_streamable(archive->archive) != ARCHIVE_OK)
                return pxr_out_of_memory(diag);
        archive_read_set_read_callback(archive->archive, on_read);
        /* archive_read_open() would go on without memory for this. */
        if (archive_read_set_callback_data(archive->archive, archive) != ARCHIVE_OK ||
            archive_read_open1(archive->archive) != ARCHIVE_OK)
                return complain(archive, NULL, diag);
        return 0;
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
        if (archive->input && begin_archive(archive, diag) == 0)
                return archive;
        pxr_archive_close(archive);
        return NULL;
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

struct pxr_reader *pxr_archive_entry(struct pxr_archive *archive)
{
        struct pxr_reader *content = &archive->content;

        content->archive = archive;
        content->offset = 0;
        snprintf(content->path, sizeof content->path, "%.*s: %s", PATH_MAX, archive->input->path,
                 archive->name);
        return content;
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
