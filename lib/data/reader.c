/* SPDX-License-Identifier: MIT */
/* reader.c - reading a file of data: plain or gzip, hashed, with offsets. */
#include "config.h"

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
        char path[PATH_MAX];
        int file;
        bool gzip;
        bool between; /* gzip: between members, where the file may end */
        bool at_end;  /* nothing is left to read from disk */
        int64_t disk; /* bytes read from disk */
        int64_t most; /* bytes that may be unpacked */
        int64_t offset;
        z_stream stream; /* next_in, avail_in: bytes read but not used, gzip or not */
        struct pxr_sha256 hash;
        int64_t (*read)(void *context, void *bytes, size_t size, struct pxr_diag *diag);
        void *context; /* of `read`, which is NULL for a file */
        unsigned char buffer[BUFFER];
};

/* Returns 0, -1 after an error, or 1 if the file does not exist. */
static int try_open(struct pxr_reader *input, const char *folder, const char *name,
                    const char *ending, struct pxr_diag *diag)
{
        int length = snprintf(input->path, sizeof input->path, "%s%s%s%s", folder ? folder : "",
                              folder ? "/" : "", name, ending);
        struct stat status;

        if (length < 0 || (size_t)length >= sizeof input->path)
                return pxr_user_error(diag, "%.60s...: path too long", folder ? folder : name);
        input->file = pxr_open_plain(input->path);
        if (input->file < 0)
                return errno == ENOENT ? 1 : pxr_open_error(input->path, diag);
        if (fstat(input->file, &status))
                return pxr_system_error(diag, "%s: cannot be read: %s", input->path,
                                        strerror(errno));
        input->most = pxr_unpacked_most(status.st_size);
        return 0;
}

/* Read more from disk, after the bytes that are not used yet. */
static int fill(struct pxr_reader *input, struct pxr_diag *diag)
{
        z_stream *z = &input->stream;
        size_t room = BUFFER - z->avail_in;
        ssize_t got;

        memmove(input->buffer, z->next_in, z->avail_in);
        z->next_in = input->buffer;
        if (input->at_end || room == 0)
                return 0;
        do
                got = read(input->file, input->buffer + z->avail_in, room);
        while (got < 0 && errno == EINTR);
        if (got < 0)
                return pxr_system_error(diag, "%s: cannot be read: %s", input->path,
                                        strerror(errno));
        pxr_sha256_update(&input->hash, input->buffer + z->avail_in, (size_t)got);
        z->avail_in += (unsigned)got;
        input->disk += got;
        input->at_end = got == 0;
        return 0;
}

/* Have two bytes in the buffer, or all that are left. */
static int fill_two(struct pxr_reader *input, struct pxr_diag *diag)
{
        while (input->stream.avail_in < 2 && !input->at_end)
                if (fill(input, diag))
                        return -1;
        return 0;
}

static bool at_gzip(const struct pxr_reader *input)
{
        const z_stream *z = &input->stream;

        return z->avail_in >= 2 && z->next_in[0] == 0x1F && z->next_in[1] == 0x8B;
}

static int look_for_gzip(struct pxr_reader *input, struct pxr_diag *diag)
{
        size_t length = strlen(input->path);

        input->stream.next_in = input->buffer;
        if (fill_two(input, diag))
                return -1;
        input->gzip = at_gzip(input);
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

bool pxr_reader_finds(const char *folder, const char *name)
{
        char path[PATH_MAX];

        for (int packed = 0; packed < 2; packed++) {
                int length =
                        snprintf(path, sizeof path, "%s/%s%s", folder, name, packed ? ".gz" : "");

                if (length > 0 && (size_t)length < sizeof path && access(path, F_OK) == 0)
                        return true;
        }
        return false;
}

static int open_either(struct pxr_reader *input, const char *folder, const char *name,
                       struct pxr_diag *diag)
{
        int result = try_open(input, folder, name, "", diag);
        struct stat status;

        if (result > 0)
                result = try_open(input, folder, name, ".gz", diag);
        if (result <= 0)
                return result;
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

struct pxr_reader *pxr_reader_open(const char *folder, const char *name, struct pxr_diag *diag)
{
        struct pxr_reader *input = calloc(1, sizeof *input);

        if (!input) {
                pxr_out_of_memory(diag);
                return NULL;
        }
        input->file = -1;
        pxr_sha256_init(&input->hash);
        if (open_either(input, folder, name, diag) || look_for_gzip(input, diag)) {
                pxr_reader_close(input);
                return NULL;
        }
        return input;
}

struct pxr_reader *pxr_reader_from(const char *path, const char *name,
                                   int64_t (*read)(void *context, void *bytes, size_t size,
                                                   struct pxr_diag *diag),
                                   void *context, struct pxr_diag *diag)
{
        struct pxr_reader *input = calloc(1, sizeof *input);

        if (!input) {
                pxr_out_of_memory(diag);
                return NULL;
        }
        snprintf(input->path, sizeof input->path, "%s: %s", path, name);
        input->file = -1;
        input->read = read;
        input->context = context;
        return input;
}

void pxr_reader_close(struct pxr_reader *input)
{
        if (!input)
                return;
        if (input->gzip)
                inflateEnd(&input->stream);
        if (input->file >= 0)
                close(input->file);
        free(input);
}

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

/* After a member: the end of the file, or another member. */
static int next_member(struct pxr_reader *input, struct pxr_diag *diag)
{
        if (fill_two(input, diag))
                return -1;
        if (input->stream.avail_in == 0)
                return 0;
        if (!at_gzip(input))
                return pxr_user_error(diag, "%s: byte %lld on disk: junk after the gzip data",
                                      input->path,
                                      (long long)(input->disk - input->stream.avail_in));
        if (inflateReset(&input->stream) != Z_OK)
                return pxr_system_error(diag, "%s: zlib cannot restart", input->path);
        input->between = false;
        return 0;
}

static int inflate_some(struct pxr_reader *input, struct pxr_diag *diag)
{
        z_stream *z = &input->stream;
        int result;

        if (z->avail_in == 0 && fill(input, diag))
                return -1;
        if (z->avail_in == 0)
                return pxr_user_error(diag,
                                      "%s: byte %lld on disk: unexpected end of gzip data "
                                      "(truncated?)",
                                      input->path, (long long)input->disk);
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
                if (input->between && next_member(input, diag))
                        return -1;
                if (input->between)
                        return 0;
                if (inflate_some(input, diag))
                        return -1;
        }
        return (int64_t)size - z->avail_out;
}

int pxr_reader_too_much(const struct pxr_reader *input, struct pxr_diag *diag)
{
        pxr_user_error(diag, "%s: decompresses to more than %d times its size", input->path,
                       PXR_UNPACKED_TIMES);
        pxr_note(diag, "such files are made to fill memory or disk; if you trust it, unpack "
                       "it yourself");
        return -1;
}

int pxr_reader_expect(const struct pxr_reader *input, int64_t size, struct pxr_diag *diag)
{
        return input->gzip && size > input->most - input->offset ? pxr_reader_too_much(input, diag)
                                                                 : 0;
}

int64_t pxr_reader_most(const struct pxr_reader *input)
{
        return input->most;
}

int64_t pxr_reader_read(struct pxr_reader *input, void *bytes, size_t size, struct pxr_diag *diag)
{
        int64_t got;

        if (size > 1 << 30)
                size = 1 << 30; /* zlib counts in unsigned int */
        if (input->read)
                got = input->read(input->context, bytes, size, diag);
        else
                got = input->gzip ? read_gzip(input, bytes, size, diag)
                                  : read_plain(input, bytes, size, diag);
        if (got > 0)
                input->offset += got;
        return got > 0 && pxr_reader_expect(input, 0, diag) ? -1 : got;
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
