/* SPDX-License-Identifier: MIT */
/* version.h - the version of pxr these headers belong to. */
#ifndef PXR_VERSION_H
#define PXR_VERSION_H

#define PXR_VERSION "0.1.0"

#endif
