/* SPDX-License-Identifier: MIT */
/* gemm.h - set-up of the BLAS; the products themselves are in <pxr/op.h>. */
#ifndef PXR_TENSOR_GEMM_H
#define PXR_TENSOR_GEMM_H

/* Have the BLAS compute each product on the calling thread alone: the workers are the
 * parallelism, and a product's bits must not depend on the number of threads. */
void pxr_blas_single_thread(void);

#endif
