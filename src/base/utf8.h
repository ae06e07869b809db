/* SPDX-License-Identifier: ISC */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stddef.h>

/*
 * Which bytes of a foreign text may be shown as they are: the one judge for
 * the log and for addresses. Any thread, async-signal-safe.
 *
 * The length in bytes of the character at the front of text (len > 0 bytes of
 * it): 1 to 4, or 0 when its first byte must be escaped, which is a control
 * character (C0, DEL, C1), a line or paragraph separator, a character that
 * turns the direction of writing, or not UTF-8 (RFC 3629: overlong forms,
 * surrogates and what is above U+10FFFF are not).
 */
size_t utf8_printable(const char *text, size_t len);

/* How many bytes of text are left when a character that was cut in half at its
 * end is taken off. */
size_t utf8_trim(const char *text, size_t len);

#endif
