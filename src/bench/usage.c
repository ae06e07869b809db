/* SPDX-License-Identifier: ISC */
#include "bench/usage.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"

#define KERNEL_STACK 16384      /* of a thread, on every 64-bit machine */
#define FILE_MAX 65536

/* A small file of /proc or of a group, whole. 0 or -errno. */
static int __attribute__((format(printf, 2, 3)))
slurp(struct buf *out, const char *format, ...)
{
	char path[4096];
	va_list ap;
	int fd, r;

	va_start(ap, format);
	r = vsnprintf(path, sizeof(path), format, ap);
	va_end(ap);
	buf_init(out, FILE_MAX);
	if (r < 0 || (size_t)r >= sizeof(path))
		return -ENAMETOOLONG;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	r = fd_read_all(fd, out, 0);
	fd_close(&fd);
	if (r == 0)
		r = buf_append(out, "", 0);
	if (r < 0 || out->data == NULL)
		buf_free(out);
	return r < 0 ? r : out->data == NULL ? -ENODATA : 0;
}

/* Groups */

int
cgroup_parse(const char *text, int64_t *ns)
{
	const char *label = strstr(text, "usage_usec ");
	int64_t unit = label != NULL ? 1000 : 1;
	char *end;

	if (label != NULL)
		text = label + strlen("usage_usec ");
	errno = 0;
	*ns = strtoll(text, &end, 10) * unit;
	return end == text || errno != 0 || *ns < 0 ? -EINVAL : 0;
}

static int
cgroup_read(const char *path, int64_t *ns, struct err *err)
{
	struct buf text;
	int r = slurp(&text, "%s/cpu.stat", path);

	if (r == 0 && strstr(text.data, "usage_usec ") == NULL) {
		buf_free(&text);        /* version 1 has a file of that name */
		r = -ENOENT;
	}
	if (r < 0)
		r = slurp(&text, "%s/cpuacct.usage", path);
	if (r < 0)
		return err_errno(err, -r, "control group %s", path);
	r = cgroup_parse(text.data, ns);
	buf_free(&text);
	if (r < 0)
		err_set(err, "control group %s: no processor time is counted "
		    "there", path);
	return r;
}

/* A process and all below it */

int
process_stat_parse(struct process_stat *stat, const char *text)
{
	const char *rest = strrchr(text, ')');  /* a name may have any byte */
	uint64_t user, system;
	int64_t child_user, child_system;
	int pid, parent;

	if (rest == NULL || sscanf(text, "%d", &pid) != 1 ||
	    sscanf(rest, ") %*c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u "
	    "%" SCNu64 " %" SCNu64 " %" SCNd64 " %" SCNd64, &parent, &user,
	    &system, &child_user, &child_system) != 5)
		return -EINVAL;
	*stat = (struct process_stat){ .pid = pid, .parent = parent,
		.own_ticks = user + system,
		.waited_ticks = (uint64_t)(child_user + child_system) };
	return 0;
}

struct tree {
	struct process_stat *all;       /* owned; every process there is */
	size_t count, size;
	size_t members;                 /* of the tree: the first ones */
};

static int
tree_add(struct tree *tree, const char *name)
{
	struct process_stat *all = tree->all;
	struct buf text;
	int r = slurp(&text, "/proc/%s/stat", name);

	if (r < 0)
		return 0;               /* it has ended meanwhile */
	if (tree->count == tree->size) {
		tree->size = tree->size == 0 ? 256 : 2 * tree->size;
		all = reallocarray(all, tree->size, sizeof(*all));
		if (all != NULL)
			tree->all = all;
	}
	if (all != NULL &&
	    process_stat_parse(&all[tree->count], text.data) == 0)
		tree->count++;
	buf_free(&text);
	return all == NULL ? -ENOMEM : 0;
}

static void
tree_swap(struct tree *tree, size_t one)
{
	struct process_stat kept = tree->all[tree->members];

	tree->all[tree->members++] = tree->all[one];
	tree->all[one] = kept;
}

/* Bring the root to the front, then who is below anybody at the front. */
static void
tree_sort(struct tree *tree, pid_t root)
{
	for (size_t i = 0; i < tree->count; i++)
		if (tree->all[i].pid == root) {
			tree_swap(tree, i);
			break;
		}
	for (size_t above = 0; above < tree->members; above++)
		for (size_t i = tree->members; i < tree->count; i++)
			if (tree->all[i].parent == tree->all[above].pid)
				tree_swap(tree, i);
}

static int
tree_read(struct tree *tree, pid_t root, struct err *err)
{
	struct dirent *entry;
	DIR *proc = opendir("/proc");
	int r = 0;

	*tree = (struct tree){ 0 };
	if (proc == NULL)
		return err_errno(err, errno, "/proc");
	while (r == 0 && (entry = readdir(proc)) != NULL)
		if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9')
			r = tree_add(tree, entry->d_name);
	(void)closedir(proc);
	if (r < 0) {
		free(tree->all);
		return err_errno(err, -r, "/proc");
	}
	tree_sort(tree, root);
	if (tree->members > 0)
		return 0;
	free(tree->all);
	return err_errno(err, ESRCH, "process %d", (int)root);
}

/* Call one for every thread of a process. */
static void
threads_each(pid_t pid, void (*one)(pid_t pid, const char *thread, void *arg),
    void *arg)
{
	struct dirent *entry;
	char path[64];
	DIR *tasks;

	(void)snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	tasks = opendir(path);
	while (tasks != NULL && (entry = readdir(tasks)) != NULL)
		if (entry->d_name[0] != '.')
			one(pid, entry->d_name, arg);
	if (tasks != NULL)
		(void)closedir(tasks);
}

static void
thread_add_ns(pid_t pid, const char *thread, void *arg)
{
	struct buf text;

	if (slurp(&text, "/proc/%d/task/%s/schedstat", (int)pid, thread) < 0)
		return;
	*(uint64_t *)arg += strtoull(text.data, NULL, 10);
	buf_free(&text);
}

/*
 * Ticks know the threads that have ended, but a process of a large pool may not
 * have used a whole one: then its threads' nanoseconds tell more.
 */
static uint64_t
process_ns(const struct process_stat *stat, uint64_t tick_ns)
{
	uint64_t ticks = stat->own_ticks * tick_ns, exact = 0;

	threads_each(stat->pid, thread_add_ns, &exact);
	return (exact > ticks ? exact : ticks) + stat->waited_ticks * tick_ns;
}

int
usage_read(const struct usage_of *of, int64_t *ns, struct err *err)
{
	const uint64_t tick_ns = 1000000000ULL / (uint64_t)sysconf(_SC_CLK_TCK);
	struct tree tree;
	uint64_t sum = 0;
	int r;

	if (of->cgroup != NULL)
		return cgroup_read(of->cgroup, ns, err);
	r = tree_read(&tree, of->pid, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < tree.members; i++)
		sum += process_ns(&tree.all[i], tick_ns);
	free(tree.all);
	*ns = (int64_t)sum;
	return 0;
}

/* Memory */

/* "Pss:      1234 kB" of a file, in bytes. */
static uint64_t
kib_after(const char *text, const char *label)
{
	const char *at = strstr(text, label);

	return at == NULL ? 0 : strtoull(at + strlen(label), NULL, 10) << 10;
}

static void
thread_count(pid_t pid, const char *thread, void *arg)
{
	(void)pid;
	(void)thread;
	++*(uint64_t *)arg;
}

static int
memory_add(struct memory *memory, pid_t pid)
{
	struct buf text;
	int r = slurp(&text, "/proc/%d/smaps_rollup", (int)pid);

	if (r < 0)
		return r;
	memory->processes++;
	memory->pss += kib_after(text.data, "\nPss:");
	buf_free(&text);
	threads_each(pid, thread_count, &memory->threads);
	if (slurp(&text, "/proc/%d/status", (int)pid) == 0) {
		memory->page_tables += kib_after(text.data, "\nVmPTE:");
		buf_free(&text);
	}
	return 0;
}

int
memory_read(pid_t pid, struct memory *memory, struct err *err)
{
	struct tree tree;
	int r = tree_read(&tree, pid, err);

	*memory = (struct memory){ 0 };
	if (r < 0)
		return r;
	for (size_t i = 0; i < tree.members; i++) {
		r = memory_add(memory, tree.all[i].pid);
		if (r == -EACCES)
			break;
	}
	free(tree.all);
	memory->kernel_stacks = memory->threads * KERNEL_STACK;
	if (r == -EACCES)
		return err_errno(err, EACCES, "the memory of process %d",
		    (int)pid);
	return 0;
}

uint64_t
memory_sum(const struct memory *memory)
{
	return memory->pss + memory->page_tables + memory->kernel_stacks;
}
