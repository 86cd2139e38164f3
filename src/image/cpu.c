/* image/cpu.c - see cpu.h */
#include "image/cpu.h"

#include <stddef.h>

#include "base/macro.h"

/* Names of bits as Intel's manual has them. */
enum {
	C1_SSE3 = 1 << 0,
	C1_SSSE3 = 1 << 9,
	C1_FMA = 1 << 12,
	C1_CMPXCHG16B = 1 << 13,
	C1_SSE4_1 = 1 << 19,
	C1_SSE4_2 = 1 << 20,
	C1_MOVBE = 1 << 22,
	C1_POPCNT = 1 << 23,
	C1_OSXSAVE = 1 << 27,
	C1_AVX = 1 << 28,
	C1_F16C = 1 << 29,
	B7_BMI1 = 1 << 3,
	B7_AVX2 = 1 << 5,
	B7_BMI2 = 1 << 8,
	B7_AVX512F = 1 << 16,
	B7_AVX512DQ = 1 << 17,
	B7_AVX512CD = 1 << 28,
	B7_AVX512BW = 1 << 30,
	C81_LAHF = 1 << 0,
	C81_LZCNT = 1 << 5,
	XCR0_AVX = 0x06,    /* XMM, YMM */
	XCR0_AVX512 = 0xe6, /* and masks, ZMM */
};
#define B7_AVX512VL (UINT32_C(1) << 31)

/* What each level has beyond the one below, from v2 on. */
static const struct cpu_words levels[] = {
	{.c1 = C1_CMPXCHG16B | C1_POPCNT | C1_SSE3 | C1_SSE4_1 | C1_SSE4_2 | C1_SSSE3,
		.c81 = C81_LAHF},
	{.c1 = C1_AVX | C1_F16C | C1_FMA | C1_MOVBE | C1_OSXSAVE,
		.b7 = B7_AVX2 | B7_BMI1 | B7_BMI2,
		.c81 = C81_LZCNT,
		.xcr0 = XCR0_AVX},
	{.b7 = B7_AVX512F | B7_AVX512BW | B7_AVX512CD | B7_AVX512DQ | B7_AVX512VL,
		.xcr0 = XCR0_AVX512},
};

unsigned int cpu_level_of(const struct cpu_words *w)
{
	unsigned int level = 1;
	for (size_t i = 0; i < ARRAY_LEN(levels); i++) {
		const struct cpu_words *l = &levels[i];
		if ((w->c1 & l->c1) != l->c1 || (w->b7 & l->b7) != l->b7 ||
			(w->c81 & l->c81) != l->c81 || (w->xcr0 & l->xcr0) != l->xcr0)
			break;
		level++;
	}
	return level;
}

#if defined(__x86_64__)
#include <cpuid.h>

unsigned int cpu_level(void)
{
	struct cpu_words w = {0};
	unsigned int a, b, c, d;
	if (__get_cpuid(1, &a, &b, &c, &d))
		w.c1 = c;
	if (__get_cpuid_count(7, 0, &a, &b, &c, &d))
		w.b7 = b;
	if (__get_cpuid(0x80000001, &a, &b, &c, &d))
		w.c81 = c;
	if (w.c1 & C1_OSXSAVE) {
		uint32_t low, high;
		__asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
		w.xcr0 = (uint64_t)high << 32 | low;
	}
	return cpu_level_of(&w);
}
#else
unsigned int cpu_level(void)
{
	return 0;
}
#endif
