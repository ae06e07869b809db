/* SPDX-License-Identifier: ISC */
#ifndef BASE_DIGITS_H
#define BASE_DIGITS_H

#include <stdint.h>
#include <string.h>

/*
 * Numbers in decimal, two digits a step and without printf(3): for what is
 * written once a request, and in a forked child. Pure. Each returns where the
 * digits end; no NUL is put there.
 */
#define DIGITS_MAX 20           /* of UINT64_MAX */

extern const char digits_pairs[201];    /* "00" to "99" */

char *digits_put(char *to, uint64_t n);

/* So many digits, with zeros in front. */

static inline char *
digits_put_2(char *to, uint32_t n)
{
	memcpy(to, digits_pairs + 2 * n, 2);
	return to + 2;
}

static inline char *
digits_put_4(char *to, uint32_t n)
{
	return digits_put_2(digits_put_2(to, n / 100), n % 100);
}

static inline char *
digits_put_6(char *to, uint32_t n)
{
	return digits_put_4(digits_put_2(to, n / 10000), n % 10000);
}

#endif
