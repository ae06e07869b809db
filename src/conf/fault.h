/* SPDX-License-Identifier: ISC */
#ifndef CONF_FAULT_H
#define CONF_FAULT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/*
 * Faults found in a configuration, collected so that one run reports all:
 * FILE:LINE: listener "NAME": key: what is wrong; what is allowed
 */
struct faults {
	struct buf text;        /* owned: the lines, each ended by a newline */
	unsigned count;         /* those past FAULTS_MAX are counted, not kept */
};

#define FAULTS_MAX 200

void faults_init(struct faults *faults);
void faults_free(struct faults *faults);
/* listener and key may be NULL. line 0: no line. Control bytes in what the
 * format brings are shown as \xNN. */
void fault_add(struct faults *faults, const char *file, unsigned line,
    const char *listener, const char *key, const char *format, ...)
	__attribute__((format(printf, 6, 7)));

#endif
