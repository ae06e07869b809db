/* SPDX-License-Identifier: ISC */
#ifndef SUPER_ADDRESS_FILE_H
#define SUPER_ADDRESS_FILE_H

#include <stddef.h>

#include "base/err.h"

struct listener;

/*
 * The file of `address_file`: a line "NAME ADDRESS" for every socket, with the
 * port that was really bound. Written whole before readiness is told, so that
 * scripts and tests need not poll. Supervisor only.
 */
int address_file_write(const char *path, struct listener *const *listeners,
    size_t count, struct err *err);

#endif
