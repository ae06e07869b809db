/* SPDX-License-Identifier: ISC */
#ifndef BASE_ERR_H
#define BASE_ERR_H

/*
 * An error on its way to the operator: one sentence with the place and the
 * remedy. The function that fails fills it; the function that decides what to
 * do about it logs it, once. Used by every process and thread; owns nothing. A
 * sentence that is too long ends in "...".
 */
#define ERR_TEXT_SIZE 512

struct err {
	char text[ERR_TEXT_SIZE];
};

/* Replace the sentence. A NULL err is allowed and ignored. The arguments may
 * point into the old sentence. */
void err_set(struct err *err, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Put "prefix: " in front of the sentence. */
void err_prefix(struct err *err, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Fill in "FORMAT: strerror(code)" and return -code. */
int err_errno(struct err *err, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
