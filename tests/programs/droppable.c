// SPDX-License-Identifier: GPL-2.0
// A droppable mapping stays one; each of its pages is as it was or empty, as mmap(2) has it.
#include "check.h"
#include <sys/mman.h>
#include <sys/random.h>

#ifndef MAP_DROPPABLE
#define MAP_DROPPABLE 8
#endif

#define PAGE 4096
#define PAGES 8

static unsigned char *memory;

static int is_empty(const unsigned char *page)
{
	for (size_t i = 0; i < PAGE; i++)
		if (page[i])
			return 0;
	return 1;
}

static void check_pages(void)
{
	for (size_t i = 0; i < PAGES; i++)
		if (!is_empty(memory + i * PAGE))
			same(5, i * PAGE, memory + i * PAGE, PAGE);
}

/* Two letters of VmFlags in /proc/PID/smaps. */
static int has_flag(const char *flag)
{
	unsigned long start;
	FILE *maps = fopen("/proc/self/smaps", "re");
	char line[4096], dash;
	int here = 0, found = 0;

	CHECK(maps);
	while (fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%lx%c", &start, &dash) == 2 && dash == '-')
			here = start == (unsigned long)memory;
		else if (here && strncmp(line, "VmFlags:", 8) == 0)
			found = strstr(line, flag) != NULL;
	}
	CHECK(fclose(maps) == 0);
	return found;
}

static void check_kind(void)
{
	pid_t child;

	CHECK(has_flag(" dp") && has_flag(" wf") && has_flag(" dd"));
	memory[0] = 1;
	child = fork();
	CHECK(child >= 0);
	if (child == 0)
		_exit(!is_empty(memory));
	child_ended(child, 0);
}

/* The C library may keep the state of its random numbers in such memory. */
static void check_random(void)
{
	unsigned char numbers[2][32];

	CHECK(getrandom(numbers[0], sizeof(numbers[0]), 0) == sizeof(numbers[0]));
	CHECK(getrandom(numbers[1], sizeof(numbers[1]), 0) == sizeof(numbers[1]));
	CHECK(memcmp(numbers[0], numbers[1], sizeof(numbers[0])) != 0);
}

int main(int argc, char **argv)
{
	begin(argc, argv);
	memory = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_DROPPABLE | MAP_ANONYMOUS,
		      -1, 0);
	CHECK(memory != MAP_FAILED);
	check_kind();
	fill(5, 0, memory, PAGES * PAGE);
	check_random();

	ready();
	wait_for_go();

	check_pages();
	check_kind();
	check_random();
	fill(5, 0, memory, PAGES * PAGE);
	check_pages();
	pass();
}
