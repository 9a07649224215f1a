/* SPDX-License-Identifier: MIT */
/*
 * serve.h - the HTML page of a database over HTTP, which shows what is recorded as it comes.
 *
 * Read-only: the database is opened to read for each request. Requests that no page of its own
 * makes are refused: methods other than GET and HEAD, and names of hosts by which a page from
 * elsewhere could reach the server (DNS rebinding).
 */
#ifndef PXR_REPORT_SERVE_H
#define PXR_REPORT_SERVE_H

#include <signal.h>

#include "report/report.h"

struct pxr_serving {
        const struct pxr_page_wanted *page;
        const struct pxr_paper *paper;
        const char *address;               /* to listen on: "127.0.0.1", "::1", "0.0.0.0" */
        int port;                          /* 0: any that is free */
        const volatile sig_atomic_t *stop; /* nonzero ends it */
        void (*ready)(const char *url, bool local); /* once it listens; local: this machine only */
};

/* Serve until it is asked to stop. Returns 0 or -1. */
int pxr_serve(const struct pxr_serving *serving, struct pxr_diag *diag);

#endif
