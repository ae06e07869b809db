/* SPDX-License-Identifier: ISC */
#ifndef BENCH_USAGE_H
#define BENCH_USAGE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

/*
 * What the server uses, from outside: of a process and all below it, or of a
 * control group. A group's clock is exact even for children that live 100 us;
 * a tree counts the ticks of children that were waited for, and a child that
 * its parent never waits for is lost.
 */
struct usage_of {
	pid_t pid;                      /* 0 = none */
	const char *cgroup;             /* NULL = none; borrowed */
};

struct memory {                 /* bytes; of a process and all below it */
	uint64_t processes, threads;
	uint64_t pss;                   /* its share of what it shares */
	uint64_t page_tables;
	uint64_t kernel_stacks;
};

/* Nanoseconds of processor time so far. 0, or -errno with a sentence. */
int usage_read(const struct usage_of *of, int64_t *ns, struct err *err);
int memory_read(pid_t pid, struct memory *memory, struct err *err);
uint64_t memory_sum(const struct memory *memory);

/* "1234 (name) S 1 ..." taken apart; for the tests. 0, or -EINVAL. */
struct process_stat {
	pid_t pid, parent;
	uint64_t own_ticks, waited_ticks;
};
int process_stat_parse(struct process_stat *stat, const char *text);
/* cpu.stat or cpuacct.usage. 0, or -EINVAL. */
int cgroup_parse(const char *text, int64_t *ns);

#endif
