/* image/cpu.h - what this machine's processor can run, as images and the x86-64 psABI name it.
 *
 * Source: the x86-64 psABI, "Micro-Architecture Levels".
 */
#ifndef BAWN_IMAGE_CPU_H
#define BAWN_IMAGE_CPU_H

#include <stdint.h>

/* Words of CPUID, and XCR0: which registers the kernel keeps. */
struct cpu_words {
	uint32_t c1;   /* leaf 1: ecx */
	uint32_t b7;   /* leaf 7: ebx */
	uint32_t c81;  /* leaf 0x80000001: ecx */
	uint64_t xcr0; /* where there is OSXSAVE; else 0 */
};

/* 1 to 4: "linux/amd64/vN". */
unsigned int cpu_level_of(const struct cpu_words *w);
/* This machine's; 0 where it is of another architecture. */
unsigned int cpu_level(void);

#endif
