/* SPDX-License-Identifier: MIT */
/*
 * processor.c - what depends on the processor: its instruction set, and subnormal numbers.
 *
 * GCC knows the levels by name ("x86-64-v4"), but clang before 17 does not, and before 18 it lacks
 * f16c, lzcnt and movbe. So the features are queried one by one, these three by CPUID.
 */
#include "base/processor.h"

#if defined(__x86_64__) && defined(__GNUC__)

#include <cpuid.h>
#include <stdatomic.h>
#include <stdbool.h>

#define HAS(feature) (__builtin_cpu_supports(feature) != 0)

static bool has_v3(void)
{
        const unsigned f16c = 1u << 29, movbe = 1u << 22, lzcnt = 1u << 5; /* bits of ecx */
        unsigned a, b, c, d;

        if (!HAS("avx2") || !HAS("fma") || !HAS("bmi") || !HAS("bmi2"))
                return false;
        if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & f16c) || !(c & movbe))
                return false;
        return __get_cpuid(0x80000001, &a, &b, &c, &d) && c & lzcnt;
}

static bool has_v4(void)
{
        return has_v3() && HAS("avx512f") && HAS("avx512bw") && HAS("avx512cd") &&
               HAS("avx512dq") && HAS("avx512vl");
}

int pxr_x86_level(void)
{
        static atomic_int known; /* CPUID takes microseconds in a virtual machine */
        int level = atomic_load_explicit(&known, memory_order_relaxed);

        if (level == 0) {
                level = has_v4() ? 4 : has_v3() ? 3 : 1;
                atomic_store_explicit(&known, level, memory_order_relaxed);
        }
        return level;
}

#else

int pxr_x86_level(void)
{
        return 0;
}

#endif

/* --- subnormal numbers -------------------------------------------------------------------------
 *
 * Functions, not macros: compilers do not move arithmetic on memory across a call.
 */

#if defined(__x86_64__) && defined(__GNUC__)

enum { FLUSH = 1 << 15 | 1 << 6 }; /* of MXCSR: results, operands */

static unsigned long read_mode(void)
{
        return __builtin_ia32_stmxcsr();
}

static void set_mode(unsigned long mode)
{
        __builtin_ia32_ldmxcsr((unsigned)mode);
}

#elif defined(__aarch64__) && defined(__GNUC__)

enum { FLUSH = 1 << 24 }; /* of FPCR */

static unsigned long read_mode(void)
{
        unsigned long mode;

        __asm__ volatile("mrs %0, fpcr" : "=r"(mode));
        return mode;
}

static void set_mode(unsigned long mode)
{
        __asm__ volatile("msr fpcr, %0" : : "r"(mode));
}

#else

enum { FLUSH = 0 };

static unsigned long read_mode(void)
{
        return 0;
}

static void set_mode(unsigned long mode)
{
        (void)mode;
}

#endif

unsigned long pxr_arithmetic_flush(void)
{
        unsigned long mode = read_mode();

        set_mode(mode | FLUSH);
        return mode;
}

void pxr_arithmetic_restore(unsigned long mode)
{
        set_mode(mode);
}
