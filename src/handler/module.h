/* SPDX-License-Identifier: ISC */
#ifndef HANDLER_MODULE_H
#define HANDLER_MODULE_H

#include "abi/socketserver.h"
#include "base/err.h"
#include "conf/config.h"

/*
 * A loaded and verified handler. Only a service process or a throw-away probe
 * loads one. The object is copied into a sealed memory file first: overwriting
 * the file on disk then hurts nobody, and what was checked is what is loaded.
 * A module is never unloaded; the end of the process ends it.
 */
struct module {
	struct ss_handler handler;      /* a copy: fields that an older object lacks are 0 */
	const char *path;               /* borrowed */
};

/* The sealed copy's descriptor, its ELF header and ABI checked; or -errno with
 * a sentence. Done before privileges are dropped. */
int module_open(const char *path, struct err *err);
/* dlopen the copy, find and check the handler. Runs its constructors. */
int module_load(struct module *module, int fd, const char *path, struct err *err);
/* Can this handler serve this listener, whose model demands these kinds? 0, or
 * -EINVAL with the sentence and *key the key that does not fit. */
int module_fits(const struct module *module, const struct listener_conf *conf,
    unsigned demands, const char **key, struct err *err);

#endif
