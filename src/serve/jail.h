/* SPDX-License-Identifier: ISC */
#ifndef SERVE_JAIL_H
#define SERVE_JAIL_H

#include <sys/types.h>

#include "base/err.h"
#include "conf/config.h"

/*
 * Giving up privileges, once, at the start of a service process, in one fixed
 * order, before any code of a handler runs. Every step is checked; the first
 * that fails ends the process.
 */

/* Limits, umask, groups, user, capabilities, no_new_privs, the parent-death
 * signal. With a chroot configured, the one capability that jail_chroot()
 * needs stays. parent: who must still be our parent. 0 or -errno. */
int jail_enter(const struct listener_conf *conf, pid_t parent, struct err *err);
/* After the handler's file was loaded (its libraries are outside): change the
 * root, give up the last capability. */
int jail_chroot(const struct listener_conf *conf, struct err *err);
/* A throw-away probe: as nobody when root, no privileges, little memory and
 * time. */
int jail_probe(struct err *err);

#endif
