/* SPDX-License-Identifier: MIT */
/*
 * arithmetic.c - flushing subnormal numbers to zero.
 *
 * Functions, not macros: compilers do not move arithmetic on memory across a call.
 */
#include "base/arithmetic.h"

#if defined(__x86_64__) && defined(__GNUC__)

enum { FLUSH_RESULTS = 1 << 15, FLUSH_OPERANDS = 1 << 6 }; /* of MXCSR */

unsigned long pxr_arithmetic_flush(void)
{
        unsigned mode = __builtin_ia32_stmxcsr();

        __builtin_ia32_ldmxcsr(mode | FLUSH_RESULTS | FLUSH_OPERANDS);
        return mode;
}

void pxr_arithmetic_restore(unsigned long mode)
{
        __builtin_ia32_ldmxcsr((unsigned)mode);
}

#elif defined(__aarch64__) && defined(__GNUC__)

unsigned long pxr_arithmetic_flush(void)
{
        const unsigned long flush = 1ul << 24; /* of FPCR */
        unsigned long mode;

        __asm__ volatile("mrs %0, fpcr" : "=r"(mode));
        __asm__ volatile("msr fpcr, %0" : : "r"(mode | flush));
        return mode;
}

void pxr_arithmetic_restore(unsigned long mode)
{
        __asm__ volatile("msr fpcr, %0" : : "r"(mode));
}

#else

unsigned long pxr_arithmetic_flush(void)
{
        return 0;
}

void pxr_arithmetic_restore(unsigned long mode)
{
        (void)mode;
}

#endif
