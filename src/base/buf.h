/* SPDX-License-Identifier: ISC */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * A growing byte string with a maximum. `failed` sticks: a writer may append
 * many times and look once at the end; what comes after the first failure is
 * refused too, so that a text never has a hole. Owned by one thread at a time.
 */
struct buf {
	char *data;             /* owned; NUL-terminated whenever not NULL */
	size_t len, cap;        /* len < cap whenever data is not NULL */
	size_t max;             /* bytes; 0 = no limit */
	bool failed;            /* out of memory, or over max */
};

void buf_init(struct buf *buf, size_t max);     /* allocates nothing yet */
/* All of it or nothing: 0, -ENOMEM, -EMSGSIZE (over max, or failed before). */
/* Room for len more bytes at data + len, and a NUL. */
int buf_reserve(struct buf *buf, size_t len);
int buf_append(struct buf *buf, const void *data, size_t len);
int buf_puts(struct buf *buf, const char *text);
int buf_printf(struct buf *buf, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
int buf_vprintf(struct buf *buf, const char *format, va_list ap)
	__attribute__((format(printf, 2, 0)));
/* Drop len bytes at the front. */
void buf_consume(struct buf *buf, size_t len);
/* len 0 and not failed; the memory is kept. */
void buf_clear(struct buf *buf);
/* As after buf_init(). */
void buf_free(struct buf *buf);

#endif
