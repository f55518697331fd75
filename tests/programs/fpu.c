// SPDX-License-Identifier: GPL-2.0
// Vector registers, rounding modes and the x87 control word stay as they were.
#include "check.h"
#include <pthread.h>

struct vectors {
	unsigned char bytes[16][32];
};

static volatile int flag;

#define EACH(apply) \
	apply(0) apply(1) apply(2) apply(3) apply(4) apply(5) apply(6) apply(7) \
	apply(8) apply(9) apply(10) apply(11) apply(12) apply(13) apply(14) apply(15)
#define YMM_LOAD(n) "vmovdqu 32*" #n "(%[in]), %%ymm" #n "\n"
#define YMM_STORE(n) "vmovdqu %%ymm" #n ", 32*" #n "(%[out])\n"
#define XMM_LOAD(n) "movdqu 32*" #n "(%[in]), %%xmm" #n "\n"
#define XMM_STORE(n) "movdqu %%xmm" #n ", 32*" #n "(%[out])\n"
#define WAIT "1: pause\n cmpl $0, (%[flag])\n je 1b\n"
#define USED \
	"memory", "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", \
	"xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15"

/* Keeps `in` in the registers alone until the flag is set, then shows what they hold. */
__attribute__((target("avx"))) static void hold_ymm(struct vectors *in, struct vectors *out)
{
	__asm__ volatile(EACH(YMM_LOAD) WAIT EACH(YMM_STORE) "vzeroupper\n"
			 :
			 : [in] "r"(in), [out] "r"(out), [flag] "r"(&flag)
			 : USED);
}

static void hold_xmm(struct vectors *in, struct vectors *out)
{
	__asm__ volatile(EACH(XMM_LOAD) WAIT EACH(XMM_STORE)
			 :
			 : [in] "r"(in), [out] "r"(out), [flag] "r"(&flag)
			 : USED);
}

static void *raise_flag(void *argument)
{
	ready();
	wait_for_go();
	flag = 1;
	return argument;
}

int main(int argc, char **argv)
{
	uint16_t control = 0x0c7f, control_after = 0;
	uint32_t modes = 0x1f80 | 0x6000, modes_after = 0;
	int wide = __builtin_cpu_supports("avx") ? 32 : 16;
	struct vectors in, out;
	pthread_t other;

	begin(argc, argv);
	fill(21, 0, &in, sizeof(in));
	memset(&out, 0, sizeof(out));
	CHECK(pthread_create(&other, NULL, raise_flag, NULL) == 0);
	__asm__ volatile("fldcw %0\n ldmxcsr %1" : : "m"(control), "m"(modes));
	if (wide == 32)
		hold_ymm(&in, &out);
	else
		hold_xmm(&in, &out);
	__asm__ volatile("fnstcw %0\n stmxcsr %1" : "=m"(control_after), "=m"(modes_after));
	CHECK_EQUAL(control_after, control);
	CHECK_EQUAL(modes_after & 0xffc0, modes & 0xffc0);
	for (int i = 0; i < 16; i++)
		CHECK(memcmp(in.bytes[i], out.bytes[i], wide) == 0);
	CHECK(pthread_join(other, NULL) == 0);
	pass();
}
