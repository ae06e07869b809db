/* SPDX-License-Identifier: ISC */
#ifndef CONF_FILE_H
#define CONF_FILE_H

#include <sys/stat.h>

#include "base/buf.h"
#include "base/err.h"

/*
 * Configuration files and handler files are trusted by a daemon that runs as
 * root: neither may be for others to write.
 */
/* A sentence, or NULL when nobody but root can change what st is of. Always
 * NULL when this process does not run as root. */
const char *file_distrust(const struct stat *st);
/* A whole regular file of at most max bytes. 0, or -errno with *err: what is
 * wrong; what is allowed. */
int file_read(const char *path, size_t max, struct buf *text, struct stat *st,
    struct err *err);
/* What a file is that is no regular file: "a directory". */
const char *file_type_word(mode_t mode);

#endif
