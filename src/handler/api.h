/* SPDX-License-Identifier: ISC */
#ifndef HANDLER_API_H
#define HANDLER_API_H

#include "abi/socketserver.h"

/* The table of functions that every request and service carries. */
extern const struct ss_api handler_api;

#endif
