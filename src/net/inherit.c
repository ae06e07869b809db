/* SPDX-License-Identifier: ISC */
/*
 * Descriptors handed over by name: the protocol of sd_listen_fds(3) without
 * its library, for both programs.
 */
#include "net/inherit.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"

/* Digits only, up to max. */
static bool
parse_number(const char *text, unsigned long max, unsigned long *number)
{
	size_t len = strlen(text);

	if (len == 0 || len > 10 || strspn(text, "0123456789") != len)
		return false;
	*number = strtoul(text, NULL, 10);
	return *number <= max;
}

/* 1: for us; 0: for another process; or -EINVAL. */
static int
is_for_us(struct err *err)
{
	const char *text = getenv("LISTEN_PID");
	unsigned long pid;

	if (!text)
		return 1;
	if (!parse_number(text, INT32_MAX, &pid) || pid == 0) {
		err_set(err, "LISTEN_PID=%s is no process id", text);
		return -EINVAL;
	}
	return pid == (unsigned long)getpid();
}

/* How many; 0 when the variable is not there. */
static int
count_fds(size_t *count, struct err *err)
{
	const char *text = getenv("LISTEN_FDS");
	unsigned long number = 0;

	if (text && !parse_number(text, INHERIT_MAX, &number)) {
		err_set(err, "LISTEN_FDS=%s is not a number from 0 to %d",
		    text, INHERIT_MAX);
		return -EINVAL;
	}
	*count = number;
	return 0;
}

/* Without names every descriptor is "unknown", as with sd_listen_fds(3). */
static int
set_names(struct inherit *inherit, const char *names, struct err *err)
{
	for (size_t i = 0; i < inherit->count; i++) {
		struct inherited *item = &inherit->fds[i];
		const char *name = names ? names : "unknown";
		size_t len = strcspn(name, ":");
		bool is_last = name[len] == '\0';

		if (len >= sizeof(item->name)) {
			err_set(err, "LISTEN_FDNAMES has a name longer than "
			    "%zu bytes", sizeof(item->name) - 1);
			return -EINVAL;
		}
		memcpy(item->name, name, len);
		if (!names)
			continue;
		if (is_last != (i + 1 == inherit->count)) {
			err_set(err, "LISTEN_FDNAMES does not have the %zu "
			    "names that LISTEN_FDS promises", inherit->count);
			return -EINVAL;
		}
		names = name + len + 1;
	}
	return 0;
}

static int
take_fds(struct inherit *inherit, struct err *err)
{
	for (size_t i = 0; i < inherit->count; i++) {
		int fd = INHERIT_FIRST_FD + (int)i;
		int r = fd_set_cloexec(fd, true);

		if (r < 0)
			return err_errno(err, -r, "LISTEN_FDS promises "
			    "descriptor %d", fd);
		inherit->fds[i].fd = fd;
	}
	return 0;
}

static int
take_all(struct inherit *inherit, struct err *err)
{
	int r = is_for_us(err);

	if (r <= 0)
		return r;
	r = count_fds(&inherit->count, err);
	if (r < 0 || inherit->count == 0)
		return r;
	inherit->fds = calloc(inherit->count, sizeof(*inherit->fds));
	if (!inherit->fds)
		return err_errno(err, ENOMEM, "LISTEN_FDS");
	for (size_t i = 0; i < inherit->count; i++)
		inherit->fds[i].fd = -1;
	r = set_names(inherit, getenv("LISTEN_FDNAMES"), err);
	return r < 0 ? r : take_fds(inherit, err);
}

/* Whether they were for us or not: nobody started from here may take them. */
static void
clear_environment(void)
{
	(void)unsetenv("LISTEN_PID");
	(void)unsetenv("LISTEN_PIDFDID");
	(void)unsetenv("LISTEN_FDS");
	(void)unsetenv("LISTEN_FDNAMES");
}

int
inherit_take(struct inherit *inherit, struct err *err)
{
	int r;

	inherit->count = 0;
	inherit->fds = NULL;
	r = take_all(inherit, err);
	clear_environment();
	if (r < 0)
		inherit_free(inherit);
	return r;
}

int
inherit_find(struct inherit *inherit, const char *name)
{
	for (size_t i = 0; i < inherit->count; i++) {
		int fd = inherit->fds[i].fd;

		if (fd < 0 || strcmp(inherit->fds[i].name, name) != 0)
			continue;
		inherit->fds[i].fd = -1;
		return fd;
	}
	return -1;
}

void
inherit_return(struct inherit *inherit, const char *name, int fd)
{
	for (size_t i = 0; i < inherit->count; i++) {
		if (inherit->fds[i].fd >= 0 ||
		    strcmp(inherit->fds[i].name, name) != 0)
			continue;
		inherit->fds[i].fd = fd;
		return;
	}
	fd_close(&fd);
}

void
inherit_close(struct inherit *inherit)
{
	for (size_t i = 0; i < inherit->count; i++) {
		if (inherit->fds[i].fd < 0)
			continue;
		fd_close(&inherit->fds[i].fd);
		inherit->fds[i].name[0] = '\0';
	}
}

void
inherit_free(struct inherit *inherit)
{
	inherit_close(inherit);
	free(inherit->fds);
	inherit->fds = NULL;
	inherit->count = 0;
}
