/* SPDX-License-Identifier: MIT */
/* serve.c - the HTML page over HTTP, by libmicrohttpd in one thread. */
#include "report/serve.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "experiment/recorded.h"

/* Requests at a time, and milliseconds until a request to stop is noticed without a signal. */
enum { MOST_CONNECTIONS = 64, PATIENCE = 1000, IDLE_SECONDS = 60 };

/* What a server keeps: a page is made once, not for every request, while nothing changes. */
struct server {
        const struct pxr_serving *serving;
        char *state, *page; /* the newest page, and the state it shows; NULL: none yet */
};

/* --- who may ask -------------------------------------------------------------------------------
 */

/* The name in a Host header, "name:port" or "[address]:port", without the port and brackets. */
static const char *host_name(const char *header, char name[256])
{
        bool bracket = *header == '[';
        size_t size = strcspn(header += bracket, bracket ? "]" : ":");

        snprintf(name, 256, "%.*s", size < 255 ? (int)size : 255, header);
        return name;
}

/* Whether a request may come by this name. A page from elsewhere can make its own name point to
 * this machine, so that the browser lets it read what the server answers; it cannot use an address
 * or "localhost". Through an SSH tunnel, the port differs. */
static bool is_own_name(const char *header)
{
        char name[256], own[256] = "";
        uint8_t address[sizeof(struct in6_addr)];

        if (!header)
                return false;
        host_name(header, name);
        gethostname(own, sizeof(own) - 1);
        return strcasecmp(name, "localhost") == 0 || strcasecmp(name, own) == 0 ||
               inet_pton(AF_INET, name, address) == 1 || inet_pton(AF_INET6, name, address) == 1;
}

/* --- answers -----------------------------------------------------------------------------------
 */

struct answer {
        unsigned status;
        const char *type, *text;
};

static enum MHD_Result send_answer(struct MHD_Connection *connection, const struct answer *answer)
{
        static const char *const headers[][2] = {
                { "Cache-Control", "no-store" },
                { "Content-Security-Policy", "frame-ancestors 'none'" },
                { "Cross-Origin-Resource-Policy", "same-origin" },
                { "Referrer-Policy", "no-referrer" },
                { "X-Content-Type-Options", "nosniff" },
        };
        struct MHD_Response *response = MHD_create_response_from_buffer(
                strlen(answer->text), (void *)answer->text, MHD_RESPMEM_MUST_COPY);
        enum MHD_Result result;

        if (!response)
                return MHD_NO;
        MHD_add_response_header(response, "Content-Type", answer->type);
        for (size_t i = 0; i < PXR_COUNT(headers); i++)
                MHD_add_response_header(response, headers[i][0], headers[i][1]);
        if (answer->status == MHD_HTTP_METHOD_NOT_ALLOWED)
                MHD_add_response_header(response, "Allow", "GET, HEAD");
        result = MHD_queue_response(connection, answer->status, response);
        MHD_destroy_response(response);
        return result;
}

static const char plain[] = "text/plain; charset=utf-8";

static struct answer refusal(unsigned status, const char *text)
{
        return (struct answer) { status, plain, text };
}

/* Whether what failed may work later: a locked database, a disk. */
static bool is_passing(const struct pxr_diag *diag)
{
        return pxr_diag_status(diag) == 1;
}

/* The newest page, or the one before if the database cannot be read now. */
static const char *make_page(struct server *server, const struct pxr_page_wanted *wanted,
                             struct pxr_store *store, struct pxr_arena *arena,
                             struct pxr_diag *diag)
{
        const char *state = store ? pxr_report_page_state(arena, store, wanted, diag) : NULL, *page;

        if (state && server->page && server->state && strcmp(state, server->state) == 0)
                return server->page;
        page = state ? pxr_report_page(arena, store, server->serving->paper, wanted, diag) : NULL;
        if (page) {
                free(server->state);
                free(server->page);
                server->state = strdup(state);
                server->page = strdup(page);
        }
        /* A page in a browser asks again, and says that the database cannot be read now. */
        return page || !is_passing(diag) ? page : server->page;
}

/* The page, a part of it, or what changes are known by. The text is in the arena or the server. */
static struct answer make(struct server *server, const char *path, const char *part,
                          struct pxr_arena *arena, struct pxr_diag *diag)
{
        const struct pxr_serving *serving = server->serving;
        struct pxr_page_wanted wanted = *serving->page;
        bool state = strcmp(path, "/state") == 0, whole = strcmp(path, "/") == 0;
        struct pxr_store *store;
        const char *text;

        if (!state && !whole && (strcmp(path, "/part") != 0 || !part))
                return refusal(MHD_HTTP_NOT_FOUND, "not found\n");
        wanted.live = true;
        wanted.part = whole ? NULL : part;
        store = pxr_recorded_look(arena, wanted.database, diag);
        text = whole    ? make_page(server, &wanted, store, arena, diag)
               : !store ? NULL
               : state  ? pxr_report_page_state(arena, store, &wanted, diag)
                        : pxr_report_page(arena, store, serving->paper, &wanted, diag);
        if (!text)
                return refusal(is_passing(diag) ? MHD_HTTP_SERVICE_UNAVAILABLE
                                                : MHD_HTTP_INTERNAL_SERVER_ERROR,
                               pxr_strf(arena, "%s\n", pxr_diag_first_error(diag)));
        if (!*text)
                return refusal(MHD_HTTP_NOT_FOUND, "not found\n");
        return (struct answer) { MHD_HTTP_OK,
                                 state ? "application/json" : "text/html; charset=utf-8", text };
}

static enum MHD_Result answer_request(void *context, struct MHD_Connection *connection,
                                      const char *path, const char *method, const char *version,
                                      const char *upload, size_t *size, void **request)
{
        struct server *server = context;
        struct pxr_diag *diag;
        struct pxr_arena *arena;
        struct answer answer;
        enum MHD_Result result;

        (void)version, (void)upload, (void)size, (void)request;
        if (*server->serving->stop)
                answer = refusal(MHD_HTTP_SERVICE_UNAVAILABLE, "the server ends\n");
        else if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
                answer = refusal(MHD_HTTP_METHOD_NOT_ALLOWED, "expected GET or HEAD\n");
        else if (!is_own_name(MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Host")))
                answer = refusal(MHD_HTTP_FORBIDDEN,
                                 "unknown host name: use localhost or the machine's address\n");
        else {
                diag = pxr_diag_new();
                arena = diag ? pxr_arena_new(0, diag) : NULL;
                answer = arena ? make(server, path,
                                      MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND,
                                                                  "id"),
                                      arena, diag)
                               : refusal(MHD_HTTP_INTERNAL_SERVER_ERROR, "out of memory\n");
                result = send_answer(connection, &answer);
                pxr_arena_free(arena);
                pxr_diag_free(diag);
                return result;
        }
        return send_answer(connection, &answer);
}

/* --- listening ---------------------------------------------------------------------------------
 */

/* Whether only this machine can connect to it. */
static bool is_loopback(const struct sockaddr *address)
{
        const struct sockaddr_in *four = (const void *)address;
        const struct sockaddr_in6 *six = (const void *)address;

        return address->sa_family == AF_INET ? ntohl(four->sin_addr.s_addr) >> 24 == 127
                                             : IN6_IS_ADDR_LOOPBACK(&six->sin6_addr);
}

static int serve(const struct pxr_serving *serving, const struct addrinfo *at,
                 struct pxr_diag *diag)
{
        bool six = at->ai_family == AF_INET6;
        struct server server = { .serving = serving };
        const union MHD_DaemonInfo *info;
        struct MHD_Daemon *daemon =
                MHD_start_daemon(six ? MHD_USE_IPv6 : 0, 0, NULL, NULL, answer_request, &server,
                                 MHD_OPTION_SOCK_ADDR, at->ai_addr, MHD_OPTION_CONNECTION_LIMIT,
                                 (unsigned)MOST_CONNECTIONS, MHD_OPTION_CONNECTION_TIMEOUT,
                                 (unsigned)IDLE_SECONDS, MHD_OPTION_END);
        char url[128];

        if (!daemon) {
                int error = errno;

                pxr_user_error(diag, "cannot listen on port %d of %s: %s", serving->port,
                               serving->address, strerror(error));
                if (error == EADDRINUSE)
                        pxr_note(diag,
                                 "use --port to choose another port, or --port 0 for any free one");
                return -1;
        }
        info = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT);
        snprintf(url, sizeof(url), six ? "http://[%s]:%d/" : "http://%s:%d/", serving->address,
                 info ? info->port : serving->port);
        serving->ready(url, is_loopback(at->ai_addr));
        while (!*serving->stop)
                MHD_run_wait(daemon, PATIENCE);
        MHD_stop_daemon(daemon);
        free(server.state);
        free(server.page);
        return 0;
}

int pxr_serve(const struct pxr_serving *serving, struct pxr_diag *diag)
{
        const struct addrinfo numeric = { .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
                                          .ai_socktype = SOCK_STREAM };
        struct addrinfo *at = NULL;
        char port[16];
        int status;

        snprintf(port, sizeof(port), "%d", serving->port);
        if (getaddrinfo(serving->address, port, &numeric, &at) != 0)
                return pxr_user_error(diag,
                                      "--bind: expected an address such as 127.0.0.1, got '%s'",
                                      serving->address);
        status = serve(serving, at, diag);
        freeaddrinfo(at);
        return status;
}
