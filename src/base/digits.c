/* SPDX-License-Identifier: ISC */
#include "base/digits.h"

const char digits_pairs[201] =
	"00010203040506070809101112131415161718192021222324"
	"25262728293031323334353637383940414243444546474849"
	"50515253545556575859606162636465666768697071727374"
	"75767778798081828384858687888990919293949596979899";

static char *
put_up_to_4(char *to, uint32_t n)
{
	if (n < 10) {
		*to = (char)('0' + n);
		return to + 1;
	}
	if (n < 100)
		return digits_put_2(to, n);
	if (n >= 1000)
		return digits_put_4(to, n);
	*to = (char)('0' + n / 100);
	return digits_put_2(to + 1, n % 100);
}

char *
digits_put(char *to, uint64_t n)
{
	if (n < 10000)
		return put_up_to_4(to, (uint32_t)n);
	to = digits_put(to, n / 10000);
	return digits_put_4(to, (uint32_t)(n % 10000));
}
