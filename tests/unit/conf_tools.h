/* SPDX-License-Identifier: ISC */
#ifndef UNIT_CONF_TOOLS_H
#define UNIT_CONF_TOOLS_H

#include <stddef.h>

#include "conf/config.h"
#include "conf/read.h"

/*
 * A directory of its own for a test, as the working directory, with a handler
 * h/echo.so (an empty file: nobody loads it here). place_begin and place_end
 * are a checked fixture.
 */
void place_begin(void);
void place_end(void);
const char *place(void);                        /* its absolute path */

void must_write(const char *file, const char *text);
void must_make_directory(const char *path);
/* text behind a first line that sets module_path: it begins on line 2. */
void must_write_conf(const char *file, const char *text);
/* main.conf must load. The caller frees it. */
struct config *must_load(const char *file);
/* Loading must end with result, and with these lines (each ends in \n). */
void must_fail(const char *file, enum config_result result, const char *lines);
/* The flat text without the lines that tell places. The caller frees it. */
char *flat_of(const struct config *config);

#define LISTENER_A(body)                                                      \
	"listeners = ( { name = \"a\"; listen = \"tcp://127.0.0.1:0\"; "      \
	"handler = \"echo\";\n" body " } );"

#endif
