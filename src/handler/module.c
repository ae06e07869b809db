/* SPDX-License-Identifier: ISC */
/*
 * Loading handlers. In a service process or a probe, never in the supervisor.
 * Owns nothing after loading but what the dynamic linker keeps.
 */
#include "handler/module.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/addr.h"
#include "base/fd.h"
#include "handler/elf.h"
#include "handler/options.h"

#define MODULE_MAX_BYTES (64 << 20)

/* The smallest handler ever: up to and with `handle`. */
#define HANDLER_MIN_SIZE \
	(offsetof(struct ss_handler, handle) + sizeof(void (*)(void)))

int
module_open(const char *path, struct err *err)
{
	struct buf buf;
	struct stat st;
	uint32_t abi;
	int r, source = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (source < 0)
		return err_errno(err, errno, "handler %s: cannot be opened", path);
	buf_init(&buf, MODULE_MAX_BYTES);
	if (fstat(source, &st) < 0)
		r = err_errno(err, errno, "handler %s", path);
	else if (!S_ISREG(st.st_mode))
		r = err_errno(err, EINVAL, "handler %s: is not a file", path);
	else if ((r = fd_read_all(source, &buf, 0)) < 0)
		(void)err_errno(err, -r, "handler %s: cannot be read", path);
	if (r == 0 && (r = elf_check(buf.data, buf.len, &abi, err)) < 0)
		err_prefix(err, "handler %s", path);
	if (r == 0 && (r = fd_memory("handler", buf.data, buf.len)) < 0)
		(void)err_errno(err, -r, "handler %s: cannot be copied", path);
	buf_free(&buf);
	fd_close(&source);
	return r;
}

static int
check_descriptor(const struct ss_handler *handler, const char *path,
    struct err *err)
{
	const char *wrong = NULL;

	if (handler->abi >> 16 != SS_ABI_MAJOR)
		wrong = "its SS_HANDLER() has another ABI than its note";
	else if (handler->size < HANDLER_MIN_SIZE || handler->size > 4096)
		wrong = "its SS_HANDLER() has an impossible size";
	else if (handler->name == NULL || handler->name[0] == '\0')
		wrong = "it has no .name";
	else if (handler->handle == NULL)
		wrong = "it has no .handle";
	else if (!(handler->kinds & (SS_STREAM | SS_DATAGRAM)))
		wrong = "its .kinds has neither SS_STREAM nor SS_DATAGRAM";
	if (wrong == NULL)
		return 0;
	err_set(err, "handler %s: %s; build it again with this version's "
	    "socketserver.h", path, wrong);
	return -ENOEXEC;
}

int
module_load(struct module *module, int fd, const char *path, struct err *err)
{
	char name[32];
	const char *wrong;

	(void)snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	void *object = dlopen(name, RTLD_NOW | RTLD_LOCAL);
	if (object == NULL) {
		const char *why = dlerror();
		size_t skip = strncmp(why, name, strlen(name)) == 0 ?
		    strlen(name) : 0;
		err_set(err, "handler %s%s%s", path, skip ? "" : ": ",
		    why + skip);
		return -ENOEXEC;
	}
	const struct ss_handler *handler = dlsym(object, SS_HANDLER_SYMBOL);
	if (handler == NULL) {
		err_set(err, "handler %s does not export " SS_HANDLER_SYMBOL
		    "; define it with SS_HANDLER()", path);
		return -ENOEXEC;
	}
	int r = check_descriptor(handler, path, err);
	if (r < 0)
		return r;
	memset(module, 0, sizeof(*module));
	memcpy(&module->handler, handler, handler->size < sizeof(*handler) ?
	    handler->size : sizeof(*handler));
	module->path = path;
	if (module->handler.options != NULL &&
	    (wrong = options_table_check(module->handler.options)) != NULL) {
		err_set(err, "handler %s: its table of options is wrong: %s",
		    path, wrong);
		return -ENOEXEC;
	}
	return 0;
}

static bool
has_kind_of(const struct ss_handler *handler, const char *address)
{
	struct addr addr;

	if (addr_parse(&addr, address, NULL) < 0 || addr.kind == ADDR_FD)
		return true;    /* of a socket handed over, known when it is here */
	return handler->kinds &
	    (unsigned)(addr_is_stream(&addr) ? SS_STREAM : SS_DATAGRAM);
}

int
module_fits(const struct module *module, const struct listener_conf *conf,
    unsigned demands, const char **key, struct err *err)
{
	const struct ss_handler *handler = &module->handler;

	*key = "concurrency";
	if (demands & SS_THREADS & ~handler->kinds) {
		err_set(err, "handler \"%s\" is not safe in several threads at "
		    "once (no SS_THREADS); use \"sync\", \"prefork\" or "
		    "\"forking\"", handler->name);
		return -EINVAL;
	}
	if (demands & SS_FIBERS & ~handler->kinds) {
		err_set(err, "handler \"%s\" does not do all its waiting in "
		    "ss_ calls (no SS_FIBERS); use \"threaded\", \"prefork\" or "
		    "\"forking\"", handler->name);
		return -EINVAL;
	}
	*key = "listen";
	for (size_t i = 0; i < conf->addresses.count; i++) {
		if (has_kind_of(handler, conf->addresses.items[i]))
			continue;
		bool is_stream = handler->kinds & SS_STREAM;
		err_set(err, "handler \"%s\" does not serve %s; it serves %s",
		    handler->name, conf->addresses.items[i], is_stream ?
		    "streams (tcp://, unix:)" : "datagrams (udp://, unixgram:)");
		return -EINVAL;
	}
	return 0;
}
