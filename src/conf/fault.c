/* SPDX-License-Identifier: ISC */
#include "conf/fault.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define FAULT_TEXT 2048         /* bytes of one message, before escaping */
#define FAULTS_BYTES (1024 * 1024)

void
faults_init(struct faults *faults)
{
	faults->count = 0;
	buf_init(&faults->text, FAULTS_BYTES);
}

void
faults_free(struct faults *faults)
{
	buf_free(&faults->text);
	faults->count = 0;
}

#define FAULT_PART 300          /* bytes of a listener's or a key's name */

/* A fault is one line, and a terminal is no place for what a file may hold. */
static void
put_escaped(struct buf *out, const char *text, size_t max)
{
	for (const char *end = text + max; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (text == end) {
			(void)buf_puts(out, "...");
			return;
		}
		if (c < 0x20 || c == 0x7f)
			(void)buf_printf(out, "\\x%02X", c);
		else
			(void)buf_append(out, text, 1);
	}
}

static void
put_part(struct buf *out, const char *before, const char *text, size_t max,
    const char *after)
{
	if (!text)
		return;
	(void)buf_puts(out, before);
	put_escaped(out, text, max);
	(void)buf_puts(out, after);
}

void
fault_add(struct faults *faults, const char *file, unsigned line,
    const char *listener, const char *key, const char *format, ...)
{
	char text[FAULT_TEXT];
	va_list ap;

	if (faults->count++ >= FAULTS_MAX)
		return;
	va_start(ap, format);
	(void)vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	put_part(&faults->text, "", file, PATH_MAX, ":");
	if (line)
		(void)buf_printf(&faults->text, "%u:", line);
	put_part(&faults->text, " listener \"", listener, FAULT_PART,
	    "\":");
	put_part(&faults->text, " ", key, FAULT_PART, ":");
	put_part(&faults->text, " ", text, sizeof(text), "\n");
}
