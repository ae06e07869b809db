/* SPDX-License-Identifier: ISC */
#ifndef BASE_NUMBER_H
#define BASE_NUMBER_H

#include <stdint.h>

#include "base/buf.h"

/*
 * Durations and sizes with their units, as a file holds them. Own code and not
 * strtod(3): the result must not follow a locale.
 */
/* "250ms" "5s" "1.5m" "1h" "2d" in milliseconds, rounded up; 0, or -EINVAL not
 * such a text, -ERANGE too large. */
int duration_parse(const char *text, int64_t *ms);
/* The same, and plain seconds: "5". */
int duration_parse_plain(const char *text, int64_t *ms);
/* Seconds in milliseconds, rounded up, so that no duration becomes "none". */
int duration_from_seconds(double seconds, int64_t *ms);
/* "64K" "16M" "1G" "1T" in bytes. */
int size_parse(const char *text, int64_t *bytes);
/* 60, 0.25: seconds, as a file holds them. */
void duration_format(struct buf *out, int64_t ms);
/* 8192, "64K". */
void size_format(struct buf *out, int64_t bytes);
/* With libconfig's L where 32 bits are not enough. */
void integer_format(struct buf *out, int64_t number);

#endif
