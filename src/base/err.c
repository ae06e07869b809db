/* SPDX-License-Identifier: ISC */
/*
 * Sentences for the operator. Every function builds the new sentence aside and
 * copies it at the end, since an argument is often the old one.
 */
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Copy text in; what does not fit is shown by "...". */
static void
err_fill(struct err *err, const char *text)
{
	size_t len = strlen(text);

	if (len < ERR_TEXT_SIZE) {
		memcpy(err->text, text, len + 1);
		return;
	}
	memcpy(err->text, text, ERR_TEXT_SIZE - 4);
	memcpy(err->text + ERR_TEXT_SIZE - 4, "...", 4);
}

/* "FIRST: SECOND" */
static void
err_join(struct err *err, const char *first, const char *second)
{
	char text[2 * ERR_TEXT_SIZE + 2];

	(void)snprintf(text, sizeof(text), "%s: %s", first, second);
	err_fill(err, text);
}

void
err_set(struct err *err, const char *format, ...)
{
	char text[ERR_TEXT_SIZE + 1];
	va_list ap;

	if (!err)
		return;
	va_start(ap, format);
	(void)vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	err_fill(err, text);
}

void
err_prefix(struct err *err, const char *format, ...)
{
	char prefix[ERR_TEXT_SIZE];
	va_list ap;

	if (!err)
		return;
	va_start(ap, format);
	(void)vsnprintf(prefix, sizeof(prefix), format, ap);
	va_end(ap);
	err_join(err, prefix, err->text);
}

int
err_errno(struct err *err, int code, const char *format, ...)
{
	char text[ERR_TEXT_SIZE], reason[128];
	va_list ap;

	if (!err)
		return -code;
	va_start(ap, format);
	(void)vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	err_join(err, text, strerror_r(code, reason, sizeof(reason)));
	return -code;
}
