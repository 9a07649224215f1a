/* SPDX-License-Identifier: MIT */
/* recognize.c - what a file is by its first bytes, and what to do with files that are not read. */
#include "config.h"

#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <pxr/arena.h>

#include "data/recognize.h"

enum { START = 512 }; /* bytes looked at */

struct kind {
        enum pxr_file_kind kind;
        size_t offset, size;
        const char *bytes;
        const char *name;   /* "an HDF5 file" */
        const char *advice; /* what to do */
};

#define MAGIC(kind, offset, bytes, name, advice)                     \
        {                                                            \
                kind, offset, sizeof(bytes) - 1, bytes, name, advice \
        }

static const char cifar[] =
        "'pxr-data fetch cifar10' downloads the binary version of CIFAR-10, which 'set: cifar10' "
        "reads; to convert another pickle, in Python: numpy.savez('new.npz', data=ARRAY, "
        "labels=LABELS)";
static const char unpack[] = "unpack it, and give the path of the folder or file it unpacks to";
static const char folder[] =
        "'set: png_folder' reads folders of pictures: give the path of the folder";

/* clang-format off */
static const struct kind kinds[] = {
        MAGIC(PXR_FILE_NPY, 0, "\x93NUMPY", "a NumPy array (.npy)", "'set: npz' reads it"),
        MAGIC(PXR_FILE_ZIP, 0, "PK\3\4", "a zip file",
              "'set: npz' reads NumPy's .npz files; unpack other zip files"),
        MAGIC(PXR_FILE_TAR, 257, "ustar", "a tar archive",
              "'set: png_folder' reads archives of pictures, and 'set: cifar10' that of CIFAR-10; "
              "unpack others"),
        MAGIC(PXR_FILE_GZIP, 0, "\x1F\x8B", "a gzip file", unpack),
        MAGIC(PXR_FILE_PICTURE, 0, "\x89PNG", "a PNG picture", folder),
        MAGIC(PXR_FILE_PICTURE, 0, "\xFF\xD8\xFF", "a JPEG picture", folder),
        MAGIC(PXR_FILE_PICTURE, 0, "GIF8", "a GIF picture", folder),
        MAGIC(PXR_FILE_PICTURE, 8, "WEBP", "a WebP picture", folder),
        MAGIC(PXR_FILE_OTHER, 0, "PAR1", "a Parquet file",
              "if its column 'image' holds pictures, this Python unpacks them: for i, row in "
              "enumerate(pyarrow.parquet.read_table('FILE').to_pylist()): "
              "open(f'{i:07d}.png', 'wb').write(row['image']['bytes'])"),
        MAGIC(PXR_FILE_OTHER, 0, "ARROW1", "an Arrow file",
              "in Python: datasets.Dataset.from_file('FILE') reads it; save each picture as PNG"),
        MAGIC(PXR_FILE_OTHER, 0, "\x89HDF\r\n\x1A\n", "an HDF5 file",
              "in Python: numpy.savez('new.npz', data=h5py.File('FILE')['KEY'][:])"),
        MAGIC(PXR_FILE_OTHER, 0, "MATLAB 5.0 MAT-file", "a MATLAB file",
              "in Python: numpy.savez('new.npz', data=ARRAY) with an array of "
              "scipy.io.loadmat('FILE'), as N x rows x columns x colours"),
        MAGIC(PXR_FILE_OTHER, 0, "\x80\2", "a Python pickle", cifar),
        MAGIC(PXR_FILE_OTHER, 0, "\x80\3", "a Python pickle", cifar),
        MAGIC(PXR_FILE_OTHER, 0, "\x80\4", "a Python pickle", cifar),
        MAGIC(PXR_FILE_OTHER, 0, "\x80\5", "a Python pickle", cifar),
        MAGIC(PXR_FILE_OTHER, 16, "\xDE\xC0\xEF\xBE", "an LMDB database",
              "in Python: read it with lmdb, and save each picture as PNG"),
        MAGIC(PXR_FILE_OTHER, 0, "SQLite format 3", "an SQLite database",
              "give the path of a data set"),
        MAGIC(PXR_FILE_OTHER, 0, "BZh", "a bzip2 file", unpack),
        MAGIC(PXR_FILE_OTHER, 0, "\xFD" "7zXZ", "an xz file", unpack),
        MAGIC(PXR_FILE_OTHER, 0, "\x28\xB5\x2F\xFD", "a zstd file", unpack),
        MAGIC(PXR_FILE_OTHER, 0, "7z\xBC\xAF\x27\x1C", "a 7-Zip archive", unpack),
        MAGIC(PXR_FILE_OTHER, 0, "Rar!", "a RAR archive", unpack),
        MAGIC(PXR_FILE_OTHER, 0, "<!DOCTYPE", "a web page, not data", "download the file again"),
        MAGIC(PXR_FILE_OTHER, 0, "<html", "a web page, not data", "download the file again"),
        MAGIC(PXR_FILE_OTHER, 0, "version https://git-lfs", "a pointer of Git LFS, not the file",
              "'git lfs pull' gets the file"),
};
/* clang-format on */

static const struct kind records = {
        .kind = PXR_FILE_OTHER,
        .name = "a TFRecord file",
        .advice = "in Python: read it with tf.data.TFRecordDataset, and save each picture as PNG",
};

/* CRC-32C, as TFRecord has it: of the length at the start of each record. */
static uint32_t crc32c(const uint8_t *bytes, size_t size)
{
        uint32_t crc = 0xFFFFFFFF;

        for (size_t i = 0; i < size; i++) {
                crc ^= bytes[i];
                for (int bit = 0; bit < 8; bit++)
                        crc = crc >> 1 ^ (crc & 1 ? 0x82F63B78 : 0);
        }
        return ~crc;
}

static bool is_record(const uint8_t *bytes, size_t size)
{
        uint32_t crc, stored;

        if (size < 12)
                return false;
        crc = crc32c(bytes, 8);
        stored = bytes[8] | (uint32_t)bytes[9] << 8 | (uint32_t)bytes[10] << 16 |
                 (uint32_t)bytes[11] << 24;
        return stored == (crc >> 15 | crc << 17) + 0xA282EAD8;
}

/* The first bytes of a file. Returns how many. */
static size_t read_start(const char *path, uint8_t bytes[START])
{
        struct stat status;
        int file;
        ssize_t got;

        if (stat(path, &status) != 0 || !S_ISREG(status.st_mode))
                return 0;
        file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        got = file >= 0 ? read(file, bytes, START) : 0;
        if (file >= 0)
                close(file);
        return got > 0 ? (size_t)got : 0;
}

static const struct kind *find(const char *path)
{
        uint8_t bytes[START];
        size_t size = read_start(path, bytes);

        for (size_t i = 0; i < PXR_COUNT(kinds); i++)
                if (size >= kinds[i].offset + kinds[i].size &&
                    memcmp(bytes + kinds[i].offset, kinds[i].bytes, kinds[i].size) == 0)
                        return &kinds[i];
        return is_record(bytes, size) ? &records : NULL;
}

enum pxr_file_kind pxr_file_kind(const char *path)
{
        const struct kind *kind = find(path);

        return kind ? kind->kind : PXR_FILE_UNKNOWN;
}

bool pxr_file_refuse(const char *path, unsigned reads, struct pxr_diag *diag)
{
        const struct kind *kind = find(path);

        if (!kind || reads >> kind->kind & 1)
                return false;
        pxr_user_error(diag, "%s: cannot be read here: it is %s", path, kind->name);
        pxr_note(diag, "%s", kind->advice);
        return true;
}
