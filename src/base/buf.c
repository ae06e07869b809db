/* SPDX-License-Identifier: ISC */
#include "base/buf.h"

#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUF_FIRST 64    /* bytes of the first allocation */

static int
buf_fail(struct buf *buf, int code)
{
	buf->failed = true;
	return -code;
}

int
buf_reserve(struct buf *buf, size_t len)
{
	size_t need, cap = buf->cap ? buf->cap : BUF_FIRST;
	char *data;

	if (buf->failed)
		return -EMSGSIZE;
	if (len >= SIZE_MAX / 2 - buf->len)
		return buf_fail(buf, ENOMEM);
	need = buf->len + len;
	if (buf->max && need > buf->max)
		return buf_fail(buf, EMSGSIZE);
	if (need < buf->cap)
		return 0;
	while (cap <= need)
		cap *= 2;
	data = realloc(buf->data, cap);
	if (!data)
		return buf_fail(buf, ENOMEM);
	buf->data = data;
	buf->cap = cap;
	return 0;
}

void
buf_init(struct buf *buf, size_t max)
{
	*buf = (struct buf){ .max = max };
}

int
buf_append(struct buf *buf, const void *data, size_t len)
{
	int r;

	/* most of the time there is room */
	if (buf->failed || buf->max || len >= buf->cap - buf->len) {
		r = buf_reserve(buf, len);
		if (r)
			return r;
	}
	if (len)
		memcpy(buf->data + buf->len, data, len);
	buf->len += len;
	buf->data[buf->len] = '\0';
	return 0;
}

int
buf_puts(struct buf *buf, const char *text)
{
	return buf_append(buf, text, strlen(text));
}

int
buf_vprintf(struct buf *buf, const char *format, va_list ap)
{
	va_list again;
	int len, r;

	va_copy(again, ap);
	len = vsnprintf(NULL, 0, format, again);
	va_end(again);
	if (len < 0)
		return buf_fail(buf, ENOMEM);
	r = buf_reserve(buf, (size_t)len);
	if (r)
		return r;
	(void)vsnprintf(buf->data + buf->len, (size_t)len + 1, format, ap);
	buf->len += (size_t)len;
	return 0;
}

int
buf_printf(struct buf *buf, const char *format, ...)
{
	va_list ap;
	int r;

	va_start(ap, format);
	r = buf_vprintf(buf, format, ap);
	va_end(ap);
	return r;
}

void
buf_consume(struct buf *buf, size_t len)
{
	assert(len <= buf->len);
	if (!len)
		return;
	buf->len -= len;
	memmove(buf->data, buf->data + len, buf->len + 1);
}

void
buf_clear(struct buf *buf)
{
	buf->len = 0;
	buf->failed = false;
	if (buf->data)
		buf->data[0] = '\0';
}

void
buf_free(struct buf *buf)
{
	free(buf->data);
	buf_init(buf, buf->max);
}
