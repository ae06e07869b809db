/* SPDX-License-Identifier: ISC */
#include "conf/literal.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static bool
word_is(const char *text, size_t len, const char *word)
{
	return strlen(word) == len && strncasecmp(text, word, len) == 0;
}

static size_t
span_digits(const char *text, size_t len)
{
	size_t n = 0;

	while (n < len && isdigit((unsigned char)text[n]))
		n++;
	return n;
}

/* Is text an integer as libconfig writes it: sign, digits or 0x digits, L? */
static bool
is_integer(const char *text, size_t len, bool *is_hex, bool *is_long)
{
	size_t n = len && (*text == '-' || *text == '+');

	*is_hex = !n && len > 2 && text[0] == '0' && (text[1] | 32) == 'x';
	if (*is_hex)
		for (n = 2; n < len && isxdigit((unsigned char)text[n]); n++)
			;
	else
		n += span_digits(text + n, len - n);
	if (n == (size_t)(*is_hex ? 2 : 0) || (!*is_hex && !isdigit(
	    (unsigned char)text[n - 1])))
		return false;
	*is_long = n < len && text[n] == 'L';
	if (*is_long)
		n += n + 1 < len && text[n + 1] == 'L' ? 2 : 1;
	return n == len;
}

static bool
is_float(const char *text, size_t len)
{
	size_t n = len && (*text == '-' || *text == '+'), digits, more = 0;
	bool has_dot, has_exponent;

	digits = span_digits(text + n, len - n);
	n += digits;
	has_dot = n < len && text[n] == '.';
	if (has_dot) {
		more = span_digits(text + n + 1, len - n - 1);
		n += 1 + more;
	}
	has_exponent = digits + more && n < len && (text[n] | 32) == 'e';
	if (has_exponent) {
		n++;
		n += n < len && (text[n] == '-' || text[n] == '+');
		if (!span_digits(text + n, len - n))
			return false;
		n += span_digits(text + n, len - n);
	}
	return digits + more && (has_dot || has_exponent) && n == len;
}

/* A sentence about an integer that libconfig would misread, or NULL. */
static const char *
judge_integer(const char *text, bool is_hex, bool is_long)
{
	const char *digits = text + (*text == '-' || *text == '+');
	long long n;

	errno = 0;
	n = strtoll(text, NULL, is_hex ? 16 : 10);
	if (errno == ERANGE || (is_hex && n < 0))
		return "does not fit in 64 bits; write a smaller number";
	if (!is_long && (n > INT32_MAX || n < INT32_MIN))
		return "does not fit in 32 bits; write it with an L at the "
		    "end, or as a string with a unit";
	if (!is_hex && digits[0] == '0' && isdigit((unsigned char)digits[1]))
		return "begins with 0 but would be read as decimal; write a "
		    "string for an octal mode, or leave out the 0";
	return NULL;
}

const char *
literal_judge(const char *text)
{
	size_t len = strlen(text);
	bool is_hex, is_long;
	double real;

	if (word_is(text, len, "true") || word_is(text, len, "false"))
		return NULL;
	if (word_is(text, len, "yes") || word_is(text, len, "on"))
		return "is no value; write true";
	if (word_is(text, len, "no") || word_is(text, len, "off"))
		return "is no value; write false";
	if (is_integer(text, len, &is_hex, &is_long))
		return judge_integer(text, is_hex, is_long);
	if (is_float(text, len)) {
		real = strtod(text, NULL);
		return real - real == 0 ? NULL :
		    "is too large; write a smaller number";
	}
	if (isdigit((unsigned char)*text))
		return "is no number; a value with a unit is a string, write "
		    "it in double quotes";
	return "is no value; write a string in double quotes";
}
