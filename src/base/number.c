/* SPDX-License-Identifier: ISC */
#include "base/number.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define FRACTION_DIGITS 6

/* A decimal number as millionths, and the text after it. */
static int
millionths_parse(const char *text, const char **rest, int64_t *millionths)
{
	int64_t n = 0;
	int digits = 0, fraction = -1, is_cut = 0;

	for (; (*text >= '0' && *text <= '9') || *text == '.'; text++) {
		if (*text == '.' && fraction >= 0)
			return -EINVAL;
		if (*text == '.') {
			fraction = 0;
			continue;
		}
		digits++;
		if (fraction >= FRACTION_DIGITS) {
			is_cut |= *text != '0';
			continue;
		}
		if (n > INT64_MAX / 10000000)
			return -ERANGE;
		n = n * 10 + (*text - '0');
		fraction += fraction >= 0;
	}
	for (int i = fraction > 0 ? fraction : 0; i < FRACTION_DIGITS; i++)
		if (__builtin_mul_overflow(n, 10, &n))
			return -ERANGE;
	if (__builtin_add_overflow(n, is_cut, &n))
		return -ERANGE;
	*millionths = n;
	*rest = text;
	return digits ? 0 : -EINVAL;
}

static const struct duration_unit {
	const char *suffix;
	int64_t ms;
} duration_units[] = {
	{ "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "h", 3600000 },
	{ "d", 86400000 },
};

#define DURATION_UNITS (sizeof(duration_units) / sizeof(*duration_units))

int
duration_parse(const char *text, int64_t *ms)
{
	const char *suffix;
	int64_t millionths, n;
	int r = millionths_parse(text, &suffix, &millionths);

	if (r)
		return r;
	for (size_t i = 0; i < DURATION_UNITS; i++) {
		if (strcmp(suffix, duration_units[i].suffix) != 0)
			continue;
		if (__builtin_mul_overflow(millionths, duration_units[i].ms,
		    &n))
			return -ERANGE;
		*ms = n / 1000000 + (n % 1000000 != 0);
		return 0;
	}
	return -EINVAL;
}

int
duration_parse_plain(const char *text, int64_t *ms)
{
	char with_unit[64];
	size_t len = strlen(text);
	bool is_plain = len > 0 && strchr("0123456789.", text[len - 1]) != NULL;

	if (len + 2 > sizeof(with_unit))
		return -EINVAL;
	(void)snprintf(with_unit, sizeof(with_unit), "%s%s", text,
	    is_plain ? "s" : "");
	return duration_parse(with_unit, ms);
}

int
duration_from_seconds(double seconds, int64_t *ms)
{
	double n = seconds * 1000.0;

	if (!(n >= -1e15 && n <= 1e15))
		return -ERANGE;
	*ms = (int64_t)n;
	/* 0.1 is a little more than a tenth: forgive what is no digit of it */
	if (n - (double)*ms > 1e-6 || (n > 0 && !*ms))
		(*ms)++;
	if (n < 0 && !*ms)
		*ms = -1;
	return 0;
}

int
size_parse(const char *text, int64_t *bytes)
{
	static const char units[] = "KMGT";
	int64_t n = 0;
	const char *unit;

	if (*text < '0' || *text > '9')
		return -EINVAL;
	for (; *text >= '0' && *text <= '9'; text++) {
		if (n > INT64_MAX / 16)
			return -ERANGE;
		n = n * 10 + (*text - '0');
	}
	if (!*text || text[1])
		return -EINVAL;
	unit = strchr(units, *text >= 'a' ? *text - 'a' + 'A' : *text);
	if (!unit)
		return -EINVAL;
	for (const char *u = units; u <= unit; u++)
		if (__builtin_mul_overflow(n, 1024, &n))
			return -ERANGE;
	*bytes = n;
	return 0;
}

void
duration_format(struct buf *out, int64_t ms)
{
	static const int64_t scale[] = { 1000, 100, 10, 1 };
	int digits = 0;

	while (ms % scale[digits])
		digits++;
	if (digits)
		(void)buf_printf(out, "%" PRId64 ".%0*" PRId64, ms / 1000,
		    digits, ms % 1000 / scale[digits]);
	else
		(void)buf_printf(out, "%" PRId64, ms / 1000);
}

void
size_format(struct buf *out, int64_t bytes)
{
	static const char units[] = "KMGT";
	int64_t n = bytes;
	int unit = -1;

	while (bytes >= 65536 && n % 1024 == 0 && unit < 3) {
		n /= 1024;
		unit++;
	}
	if (unit >= 0)
		(void)buf_printf(out, "\"%" PRId64 "%c\"", n, units[unit]);
	else
		integer_format(out, bytes);
}

void
integer_format(struct buf *out, int64_t number)
{
	const char *suffix = number > INT32_MAX ||
	    number < INT32_MIN ? "L" : "";

	(void)buf_printf(out, "%" PRId64 "%s", number, suffix);
}
