/* SPDX-License-Identifier: MIT */
/*
 * fetch.c - downloading official files: the partial file, and what a server may do to it.
 *
 * An attempt is one request. It ends with the whole file, with an error after which it is tried
 * again (the connection was lost, the server is busy), or with a permanent error (no such file, a
 * different file, a full disk).
 */
#include "config.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hash.h"
#include "data/fetch.h"

enum { CONNECT_SECONDS = 30, REDIRECTS = 10, MAX_PAUSE = 30, SLOWEST = 1000 /* bytes/s */ };

/* How an attempt ended. */
enum outcome { WHOLE, LOST, HOPELESS, STOPPED };

struct transfer {
        const struct pxr_fetch *fetch;
        const struct pxr_official_file *official;
        struct pxr_arena *arena;
        struct pxr_diag *diag;
        CURL *curl;
        const char *path, *part, *url;
        int file;               /* the part */
        int64_t at;             /* bytes of it */
        struct pxr_sha256 hash; /* of these */
        bool resumed;           /* some of these bytes are of an earlier run or attempt */
        bool reached;           /* a server has answered */
        size_t made;            /* length of the path of the topmost new folder; 0: none is new */

        /* Of the attempt. */
        bool begun;           /* a byte has come */
        enum outcome outcome; /* HOPELESS or STOPPED where a callback ended it */
        char problem[CURL_ERROR_SIZE];
};

static void note(const struct transfer *t, const char *text)
{
        pxr_observe_note(t->fetch->observer, text);
}

/* --- the part ----------------------------------------------------------------------------------*/

static int disk_error(const struct transfer *t, const char *what)
{
        return pxr_system_error(t->diag, "%s: cannot be %s: %s", t->part, what, strerror(errno));
}

static int start_again(struct transfer *t)
{
        t->at = 0;
        t->resumed = false;
        pxr_sha256_init(&t->hash);
        return ftruncate(t->file, 0) == 0 ? 0 : disk_error(t, "emptied");
}

/* Hash what an earlier run has left. */
static int hash_part(struct transfer *t)
{
        char chunk[1 << 16];
        ssize_t got;

        pxr_sha256_init(&t->hash);
        while ((got = pread(t->file, chunk, sizeof chunk, t->at)) > 0) {
                pxr_sha256_update(&t->hash, chunk, (size_t)got);
                t->at += got;
        }
        if (got < 0)
                return disk_error(t, "read");
        t->resumed = t->at > 0;
        return t->at > t->official->size ? start_again(t) : 0;
}

/* The lock is for two programs that fetch the same file. */
static int open_part(struct transfer *t)
{
        t->file = open(t->part, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
        if (t->file < 0)
                return pxr_file_error(t->part, "open", errno, t->diag);
        if (flock(t->file, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
                return pxr_user_error(t->diag, "%s: in use by another process that fetches it",
                                      t->part);
        return hash_part(t);
}

/* --- what libcurl calls ------------------------------------------------------------------------*/

static size_t give_up(struct transfer *t)
{
        t->outcome = HOPELESS;
        return 0;
}

/* Check at a response's first byte that it is the requested part of a file of the right size. */
static int begin(struct transfer *t)
{
        struct curl_header *range;
        curl_off_t length = -1;
        long code = 0;
        long long first = -1;

        t->begun = true;
        curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &code);
        curl_easy_getinfo(t->curl, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
        if (code == 206 &&
            curl_easy_header(t->curl, "Content-Range", 0, CURLH_HEADER, -1, &range) == CURLHE_OK)
                sscanf(range->value, "bytes %lld-", &first);
        if (t->at > 0 && first != t->at && start_again(t))
                return -1;
        if (first > 0 && first != t->at)
                return pxr_user_error(t->diag,
                                      "%s: the server answered with another range, from byte %lld "
                                      "on",
                                      t->url, first);
        if (length >= 0 && t->at + length != t->official->size)
                return pxr_user_error(t->diag,
                                      "%s: expected the official file of %lld bytes, but the "
                                      "server offers %lld",
                                      t->url, (long long)t->official->size,
                                      (long long)(t->at + length));
        return 0;
}

static size_t on_bytes(char *bytes, size_t one, size_t size, void *context)
{
        struct transfer *t = context;
        ssize_t put;

        (void)one;
        if (!t->begun && begin(t))
                return give_up(t);
        if (t->at + (int64_t)size > t->official->size) {
                pxr_user_error(t->diag,
                               "%s: the server sends more than the %lld bytes of the official file",
                               t->url, (long long)t->official->size);
                return give_up(t);
        }
        put = pwrite(t->file, bytes, size, t->at);
        if (put != (ssize_t)size) {
                errno = put < 0 ? errno : ENOSPC;
                disk_error(t, "written");
                return give_up(t);
        }
        pxr_sha256_update(&t->hash, bytes, size);
        t->at += (int64_t)size;
        return size;
}

static bool is_stopped(const struct transfer *t)
{
        return pxr_observe_count(t->fetch->observer, t->official->name, "bytes", t->at,
                                 t->official->size);
}

static int on_progress(void *context, curl_off_t all, curl_off_t done, curl_off_t up,
                       curl_off_t up_done)
{
        struct transfer *t = context;

        (void)all, (void)done, (void)up, (void)up_done;
        if (!is_stopped(t))
                return 0;
        t->outcome = STOPPED;
        return 1;
}

/* --- an attempt --------------------------------------------------------------------------------*/

static void set_options(struct transfer *t, char range[32])
{
        CURL *curl = t->curl;

        curl_easy_reset(curl);
        curl_easy_setopt(curl, CURLOPT_URL, t->url);
        curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
        curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
        curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);
        curl_easy_setopt(curl, CURLOPT_MAXREDIRS, (long)REDIRECTS);
        curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
        curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
        curl_easy_setopt(curl, CURLOPT_USERAGENT, "pxr-data/" PACKAGE_VERSION);
        curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_SECONDS);
        curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, (long)SLOWEST);
        curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, (long)t->fetch->stall);
        curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, t->problem);
        curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_bytes);
        curl_easy_setopt(curl, CURLOPT_WRITEDATA, t);
        curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
        curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
        curl_easy_setopt(curl, CURLOPT_XFERINFODATA, t);
        if (t->at > 0) {
                snprintf(range, 32, "%lld-", (long long)t->at);
                curl_easy_setopt(curl, CURLOPT_RANGE, range);
        }
}

/* Whether another attempt may succeed. */
static bool is_transient(CURLcode code, long status)
{
        static const CURLcode codes[] = {
                CURLE_COULDNT_CONNECT,    CURLE_COULDNT_RESOLVE_HOST,
                CURLE_GOT_NOTHING,        CURLE_HTTP2,
                CURLE_HTTP2_STREAM,       CURLE_OPERATION_TIMEDOUT,
                CURLE_PARTIAL_FILE,       CURLE_RECV_ERROR,
                CURLE_SEND_ERROR,         CURLE_SSL_CONNECT_ERROR,
                CURLE_WEIRD_SERVER_REPLY,
        };

        for (size_t i = 0; i < PXR_COUNT(codes); i++)
                if (code == codes[i])
                        return true;
        return code == CURLE_HTTP_RETURNED_ERROR &&
               (status == 408 || status == 429 || status >= 500);
}

/* One request. An error after which it is tried again is left in t->problem. */
static enum outcome attempt(struct transfer *t)
{
        char range[32];
        CURLcode code;
        long status = 0;

        t->begun = false;
        t->outcome = LOST;
        t->problem[0] = '\0';
        t->resumed |= t->at > 0;
        set_options(t, range);
        code = curl_easy_perform(t->curl);
        curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &status);
        t->reached |= status > 0;
        if (t->outcome != LOST)
                return t->outcome;
        if (code == CURLE_OK && t->at == t->official->size)
                return WHOLE;
        if (code == CURLE_OK)
                snprintf(t->problem, sizeof t->problem, "the server closed the connection early");
        else if (!t->problem[0])
                snprintf(t->problem, sizeof t->problem, "%s", curl_easy_strerror(code));
        if (code == CURLE_HTTP_RETURNED_ERROR && status == 416 && t->at > 0)
                return start_again(t) ? HOPELESS : LOST;
        if (!t->reached && (code == CURLE_COULDNT_CONNECT || code == CURLE_COULDNT_RESOLVE_HOST)) {
                pxr_system_error(t->diag, "%s: %s", t->url, t->problem);
                pxr_hint(t->diag, "is there a network? (use --url to name another server)");
                return HOPELESS;
        }
        if (code == CURLE_OK || is_transient(code, status))
                return LOST;
        pxr_user_error(t->diag, "%s: %s", t->url, t->problem);
        return HOPELESS;
}

/* --- all attempts ------------------------------------------------------------------------------*/

/* Wait before attempt `number`. True when the observer stops it. */
static bool wait_before(const struct transfer *t, int number)
{
        double seconds = t->fetch->pause;
        struct timespec slice = { .tv_nsec = 50000000 };

        for (int i = 1; i < number && seconds < MAX_PAUSE; i++)
                seconds *= 2;
        for (double waited = 0; waited < seconds && waited < MAX_PAUSE; waited += 0.05) {
                if (is_stopped(t))
                        return true;
                nanosleep(&slice, NULL);
        }
        return is_stopped(t);
}

/* Attempts until the part has its size. */
static enum outcome fill(struct transfer *t)
{
        for (int retry = 0; t->at < t->official->size; retry++) {
                enum outcome outcome;

                if (retry > 0 && wait_before(t, retry))
                        return STOPPED;
                outcome = attempt(t);
                if (outcome != LOST)
                        return outcome;
                if (retry == t->fetch->retries) {
                        pxr_system_error(t->diag,
                                         "%s: attempt %d failed: %s; kept %lld of %lld bytes",
                                         t->url, retry + 1, t->problem, (long long)t->at,
                                         (long long)t->official->size);
                        pxr_note(t->diag, "run the same command again to resume");
                        return HOPELESS;
                }
                note(t, pxr_strf(t->arena, "%s: %s at byte %lld; retry %d of %d", t->official->name,
                                 t->problem, (long long)t->at, retry + 1, t->fetch->retries));
        }
        return WHOLE;
}

/* Attempts until the part is the official file. */
static enum outcome fill_and_check(struct transfer *t)
{
        char hex[PXR_SHA256_HEX];

        for (;;) {
                enum outcome outcome = fill(t);
                struct pxr_sha256 hash = t->hash;
                bool resumed = t->resumed;

                pxr_sha256_final(&hash, hex);
                if (outcome != WHOLE || strcmp(hex, t->official->sha256) == 0)
                        return outcome;
                if (start_again(t))
                        return HOPELESS;
                if (!resumed)
                        break;
                /* The earlier bytes may be at fault: try once more in one piece. */
                note(t,
                     pxr_strf(t->arena,
                              "%s: the resumed download is not the official file; starting again",
                              t->official->name));
        }
        unlink(t->part);
        pxr_user_error(t->diag, "%s: expected SHA-256 %s, got %s", t->url, t->official->sha256,
                       hex);
        pxr_note(t->diag, "the download is damaged, or another file, and was removed");
        return HOPELESS;
}

/* Check an existing file of that name: an official one is not fetched. 1: there is none. */
static int look_at_present(const struct transfer *t)
{
        char hex[PXR_SHA256_HEX];
        struct stat status;

        if (lstat(t->path, &status) != 0)
                return errno == ENOENT ? 1 : pxr_file_error(t->path, "open", errno, t->diag);
        if (pxr_sha256_file(t->path, hex, t->diag))
                return -1;
        if (strcmp(hex, t->official->sha256) != 0)
                return pxr_user_error(t->diag,
                                      "%s: already exists and is not the official file (move it "
                                      "away to fetch the official one)",
                                      t->path);
        note(t, pxr_strf(t->arena, "%s: already exists", t->path));
        return PXR_FETCHED;
}

/* Make the folder and those above it. */
static int make_folders(struct transfer *t)
{
        char path[PATH_MAX], *slash = path;

        snprintf(path, sizeof path, "%s", t->fetch->folder);
        while (slash) {
                slash = strchr(slash + 1, '/');
                if (slash)
                        *slash = '\0';
                if (mkdir(path, 0777) == 0)
                        t->made = t->made ? t->made : strlen(path);
                else if (!slash && errno != EEXIST)
                        return pxr_file_error(path, "create folder", errno, t->diag);
                if (slash)
                        *slash = '/';
        }
        return 0;
}

/* Remove the folders that were made, as far as they are empty: a folder without files would be
 * taken for the set. */
static void remove_folders(const struct transfer *t)
{
        char path[PATH_MAX], *folder = path;

        snprintf(path, sizeof path, "%s", t->fetch->folder);
        while (t->made > 0 && strlen(folder) >= t->made && rmdir(folder) == 0)
                folder = dirname(folder);
}

static int fetch_new(struct transfer *t)
{
        enum outcome outcome;

        if (open_part(t))
                return -1;
        outcome = fill_and_check(t);
        if (outcome != WHOLE && t->at == 0)
                unlink(t->part); /* nothing to resume from */
        if (outcome == STOPPED)
                return PXR_FETCH_STOPPED;
        if (outcome != WHOLE)
                return -1;
        if (fsync(t->file) != 0 || pxr_file_name(t->part, t->path, false) != 0)
                return pxr_file_error(t->path, "write", errno, t->diag);
        note(t, pxr_strf(t->arena, "%s: fetched, SHA-256 verified", t->path));
        return PXR_FETCHED;
}

static int fetch(struct transfer *t)
{
        const char *name = t->official->name, *folder = t->fetch->folder, *url = t->fetch->url;
        size_t length = strlen(url);
        int result;

        t->path = pxr_strf(t->arena, "%s/%s", folder, name);
        t->part = pxr_strf(t->arena, "%s.part", t->path);
        t->url = pxr_strf(t->arena, "%s%s%s", url, length > 0 && url[length - 1] == '/' ? "" : "/",
                          name);
        if (pxr_arena_failed(t->arena) || make_folders(t))
                return -1;
        result = look_at_present(t);
        return result == 1 ? fetch_new(t) : result;
}

int pxr_fetch_file(const struct pxr_fetch *order, const struct pxr_official_file *file,
                   struct pxr_diag *diag)
{
        struct transfer t = { .fetch = order,
                              .official = file,
                              .arena = pxr_arena_new(0, diag),
                              .diag = diag,
                              .curl = curl_easy_init(),
                              .file = -1 };
        int result = -1;

        if (!t.curl || !t.arena)
                pxr_system_error(diag, "libcurl does not start");
        else
                result = fetch(&t);
        if (t.file >= 0)
                close(t.file);
        if (result != PXR_FETCHED)
                remove_folders(&t);
        curl_easy_cleanup(t.curl);
        pxr_arena_free(t.arena);
        return result;
}

/* --- a set -------------------------------------------------------------------------------------*/

static const struct pxr_official_file *find(const struct pxr_data_format *set, const char *name,
                                            struct pxr_diag *diag)
{
        const struct pxr_official_file *files = set->official->files;
        const char *names[16];
        size_t count = 0;

        for (; files[count].name; count++) {
                names[count] = files[count].name;
                if (strcmp(names[count], name) == 0)
                        return &files[count];
        }
        pxr_user_error(diag, "%s: unknown file '%s'", set->name, name);
        pxr_hint_nearest(diag, name, names, count);
        for (size_t i = 0; i < count; i++)
                pxr_note(diag, "it has %s", names[i]);
        return NULL;
}

int pxr_fetch_set(const struct pxr_fetch *fetch, const struct pxr_data_format *set,
                  const char *const *names, size_t count, struct pxr_diag *diag)
{
        struct pxr_fetch own = *fetch;

        own.url = fetch->url ? fetch->url : set->official->url;
        own.folder = fetch->folder ? fetch->folder : pxr_official_folder(set);
        for (size_t i = 0; i < count; i++)
                if (!find(set, names[i], diag))
                        return -1;
        if (!own.url) {
                pxr_user_error(diag,
                               "%s: cannot fetch: no server has its files any more (use --url to "
                               "name a mirror)",
                               set->name);
                pxr_note(diag, "it was distributed by %s", set->official->source);
                return -1;
        }
        for (size_t i = 0; count > 0 ? i < count : set->official->files[i].name != NULL; i++) {
                const struct pxr_official_file *file =
                        count > 0 ? find(set, names[i], diag) : &set->official->files[i];
                int result = pxr_fetch_file(&own, file, diag);

                if (result != PXR_FETCHED)
                        return result;
        }
        return PXR_FETCHED;
}
