/* SPDX-License-Identifier: MIT */
/*
 * server.h - an HTTP server on loopback that misbehaves to order, for tests of downloading.
 *
 * It answers one connection after another, each as the next act of its script says; the last act
 * stays. Every request is taken note of. Without Check, so that a program of its own can use it.
 */
#ifndef PXR_TESTS_SERVER_H
#define PXR_TESTS_SERVER_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum act {
        SERVE,         /* as it should be, with ranges */
        IGNORE_RANGE,  /* send the whole file, whatever part is requested */
        WRONG_RANGE,   /* another range than is asked for */
        UNSATISFIABLE, /* 416 to any range */
        DROP,          /* half of what is left, then the connection is closed */
        SHORT,         /* the same, without having said how long the file is */
        LONGER,        /* some bytes too many, without having said so */
        CORRUPT,       /* one byte is wrong */
        STALL,         /* some bytes, then silence */
        TRICKLE,       /* a byte at a time, ten a second */
        SILENT,        /* closed without an answer */
        BUSY,          /* 503 */
        GONE,          /* 404 */
        PAGE,          /* an HTML page */
        PAGE_UNSIZED,  /* the same, without its length */
        REDIRECT,      /* to another address of this server */
        REDIRECT_SELF, /* to the same */
        REDIRECT_FILE, /* to a file of the machine */
};

enum { MAX_REQUESTS = 64 };

struct server {
        const uint8_t *content;
        size_t size;
        const enum act *script;
        int acts;
        int listener;
        char address[64];
        pthread_t thread;
        atomic_bool quit;
        atomic_int requests;
        char path[MAX_REQUESTS][128]; /* of each request */
        long long from[MAX_REQUESTS]; /* its range; -1: none */
};

static inline void say(int client, const void *bytes, size_t size)
{
        const char *at = bytes;

        while (size > 0) {
                ssize_t put = send(client, at, size, MSG_NOSIGNAL);

                if (put <= 0)
                        return;
                at += put;
                size -= (size_t)put;
        }
}

static inline void say_head(int client, const char *format, ...)
{
        char head[512];
        va_list arguments;

        va_start(arguments, format);
        vsnprintf(head, sizeof head, format, arguments);
        va_end(arguments);
        say(client, head, strlen(head));
}

/* The head of an answer with the file from byte `from` on. */
static inline void say_file_head(const struct server *server, int client, long long from,
                                 bool sized)
{
        char length[64] = "";

        if (sized)
                snprintf(length, sizeof length, "Content-Length: %lld\r\n",
                         (long long)server->size - from);
        if (from > 0)
                say_head(client,
                         "HTTP/1.1 206 Partial\r\nContent-Range: bytes %lld-%zu/%zu\r\n%s"
                         "Connection: close\r\n\r\n",
                         from, server->size - 1, server->size, length);
        else
                say_head(client, "HTTP/1.1 200 OK\r\n%sConnection: close\r\n\r\n", length);
}

/* Until the client goes away, or the test ends; it may get a byte now and then. */
static inline void wait_for_close(struct server *server, int client, const uint8_t *bytes)
{
        char byte;

        while (!server->quit) {
                struct pollfd one = { .fd = client, .events = POLLIN };

                if (bytes)
                        say(client, bytes++, 1);
                if (poll(&one, 1, bytes ? 100 : 20) > 0 && recv(client, &byte, 1, 0) <= 0)
                        return;
        }
}

static inline void serve(struct server *server, int client, long long from, enum act act)
{
        size_t left = server->size - (size_t)from;
        const uint8_t *bytes = server->content + from;
        uint8_t *copy;

        say_file_head(server, client, from, act != SHORT && act != LONGER);
        if (act == DROP || act == SHORT) {
                say(client, bytes, left / 2);
        } else if (act == STALL) {
                say(client, bytes, left / 3);
                wait_for_close(server, client, NULL);
        } else if (act == TRICKLE) {
                wait_for_close(server, client, bytes);
        } else if (act == CORRUPT) {
                copy = malloc(left);
                memcpy(copy, bytes, left);
                copy[left / 2] ^= 1;
                say(client, copy, left);
                free(copy);
        } else {
                say(client, bytes, left);
                if (act == LONGER)
                        say(client, "more", 4);
        }
}

static inline void answer(struct server *server, int client, const char *path, long long from,
                          enum act act)
{
        static const char page[] = "<!DOCTYPE html><title>Sign in</title>";

        switch (act) {
        case SILENT:
                return;
        case BUSY:
                say_head(client, "HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbusy");
                return;
        case GONE:
                say_head(client, "HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\ngone");
                return;
        case UNSATISFIABLE:
                if (from >= 0) {
                        say_head(client, "HTTP/1.1 416 No\r\nContent-Length: 0\r\n\r\n");
                        return;
                }
                break;
        case PAGE:
                say_head(client, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s", strlen(page),
                         page);
                return;
        case PAGE_UNSIZED:
                say_head(client, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n%s", page);
                return;
        case REDIRECT:
                say_head(client,
                         "HTTP/1.1 302 Found\r\nLocation: /moved%s\r\n"
                         "Content-Length: 0\r\nConnection: close\r\n\r\n",
                         path);
                return;
        case REDIRECT_SELF:
                say_head(client,
                         "HTTP/1.1 302 Found\r\nLocation: %s\r\n"
                         "Content-Length: 0\r\nConnection: close\r\n\r\n",
                         path);
                return;
        case REDIRECT_FILE:
                say_head(client, "HTTP/1.1 302 Found\r\nLocation: file:///etc/hostname\r\n"
                                 "Content-Length: 0\r\nConnection: close\r\n\r\n");
                return;
        default:
                break;
        }
        if (act == IGNORE_RANGE || from < 0)
                from = 0;
        serve(server, client, act == WRONG_RANGE && from > 0 ? from + 1 : from, act);
}

/* Read the head of a request. False when the client says nothing. */
static inline bool hear(int client, char *head, size_t room)
{
        size_t length = 0;

        while (length < room - 1) {
                ssize_t got = recv(client, head + length, room - 1 - length, 0);

                if (got <= 0)
                        return false;
                length += (size_t)got;
                head[length] = '\0';
                if (strstr(head, "\r\n\r\n"))
                        return true;
        }
        return false;
}

static inline void take(struct server *server, int client)
{
        int number = server->requests;
        char head[4096], *range;

        if (number >= MAX_REQUESTS || !hear(client, head, sizeof head))
                return;
        sscanf(head, "GET %127s", server->path[number]);
        range = strstr(head, "Range: bytes=");
        server->from[number] = range ? atoll(range + 13) : -1;
        server->requests++;
        answer(server, client, server->path[number], server->from[number],
               server->script[number < server->acts ? number : server->acts - 1]);
}

static inline void *run_server(void *context)
{
        struct server *server = context;

        while (!server->quit) {
                struct pollfd one = { .fd = server->listener, .events = POLLIN };
                int client;

                if (poll(&one, 1, 20) <= 0)
                        continue;
                client = accept(server->listener, NULL, NULL);
                if (client < 0)
                        continue;
                take(server, client);
                shutdown(client, SHUT_RDWR);
                close(client);
        }
        return NULL;
}

/* Start a server of `content` with a script. Returns its address, with a / at the end, or NULL. */
static inline const char *start_server(struct server *server, const void *content, size_t size,
                                       const enum act *script, int acts)
{
        struct sockaddr_in address = { .sin_family = AF_INET,
                                       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        socklen_t length = sizeof address;

        *server = (struct server) {
                .content = content, .size = size, .script = script, .acts = acts
        };
        server->listener = socket(AF_INET, SOCK_STREAM, 0);
        if (server->listener < 0 ||
            bind(server->listener, (struct sockaddr *)&address, length) != 0 ||
            listen(server->listener, 8) != 0 ||
            getsockname(server->listener, (struct sockaddr *)&address, &length) != 0 ||
            pthread_create(&server->thread, NULL, run_server, server) != 0)
                return NULL;
        snprintf(server->address, sizeof server->address, "http://127.0.0.1:%d/sets/",
                 ntohs(address.sin_port));
        return server->address;
}

static inline void stop_server(struct server *server)
{
        server->quit = true;
        pthread_join(server->thread, NULL);
        close(server->listener);
}

#endif
