/* SPDX-License-Identifier: ISC */
#include "base/utf8.h"

#include <stdbool.h>
#include <stdint.h>

/* The number of bytes that a first byte announces; 0 = not a first byte. */
static size_t
utf8_announced(uint8_t first)
{
	if (first < 0x80)
		return 1;
	if (first >= 0xc2 && first <= 0xdf)
		return 2;
	if (first >= 0xe0 && first <= 0xef)
		return 3;
	if (first >= 0xf0 && first <= 0xf4)
		return 4;
	return 0;
}

static bool
is_continuation(char byte)
{
	return ((uint8_t)byte & 0xc0) == 0x80;
}

static bool
is_printable(uint32_t c)
{
	if (c < 0x20 || (c >= 0x7f && c < 0xa0))
		return false;
	if (c >= 0x2028 && c <= 0x202e)         /* separators, bidi overrides */
		return false;
	return c < 0x2066 || c > 0x2069;        /* bidi isolates */
}

/* Overlong forms of two bytes have no valid first byte; of three and four they
 * are told by the value. */
static bool
is_character(uint32_t c, size_t n)
{
	if (n == 3)
		return c >= 0x800 && (c < 0xd800 || c > 0xdfff);
	if (n == 4)
		return c >= 0x10000 && c <= 0x10ffff;
	return true;
}

size_t
utf8_printable(const char *text, size_t len)
{
	const uint8_t first = (uint8_t)text[0];
	const size_t n = utf8_announced(first);
	uint32_t c = n == 1 ? first : first & (0x7fU >> n);

	if (!n || n > len)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if (!is_continuation(text[i]))
			return 0;
		c = c << 6 | ((uint8_t)text[i] & 0x3f);
	}
	return is_character(c, n) && is_printable(c) ? n : 0;
}

size_t
utf8_trim(const char *text, size_t len)
{
	size_t back = 0;

	while (back < 3 && back < len && is_continuation(text[len - 1 - back]))
		back++;
	if (back == len)
		return len;
	if (utf8_announced((uint8_t)text[len - 1 - back]) > back + 1)
		return len - 1 - back;
	return len;
}
