/* SPDX-License-Identifier: ISC */
#include "ctl/rates.h"

#include <errno.h>

#include "base/clock.h"
#include "ctl/view.h"

void
rates_free(struct rates *rates)
{
	json_decref(rates->last);
	json_decref(rates->per_second);
	*rates = (struct rates){ .last = NULL };
}

/* { name: requests } of a result. */
static json_t *
requests_of(const json_t *result)
{
	const json_t *listeners = field_array(result, "listeners");
	json_t *counts = json_object();
	size_t i;

	for (i = 0; i < json_array_size(listeners); i++) {
		const json_t *one = json_array_get(listeners, i);

		(void)json_object_set_new(counts, field_text(one, "name"),
		    json_integer(field_number(one, "requests")));
	}
	return counts;
}

static void
rates_compare(struct rates *rates, json_t *now, double seconds)
{
	const char *name;
	json_t *count;

	json_object_foreach(now, name, count) {
		const json_t *before = json_object_get(rates->last, name);
		double rate = ((double)json_integer_value(count) -
		    (double)json_integer_value(before)) / seconds;

		if (before != NULL && rate >= 0)
			(void)json_object_set_new(rates->per_second, name,
			    json_real(rate));
	}
}

int
rates_update(struct rates *rates, const json_t *result, int64_t now)
{
	double seconds = (double)(now - rates->last_at) / CLOCK_SECOND;
	json_t *counts = requests_of(result);

	json_decref(rates->per_second);
	rates->per_second = json_object();
	if (counts == NULL || rates->per_second == NULL) {
		json_decref(counts);
		return -ENOMEM;
	}
	if (rates->last != NULL && seconds > 0)
		rates_compare(rates, counts, seconds);
	json_decref(rates->last);
	rates->last = counts;
	rates->last_at = now;
	return 0;
}

double
rates_of(const struct rates *rates, const char *listener)
{
	const json_t *rate = json_object_get(rates->per_second, listener);

	return json_is_number(rate) ? json_number_value(rate) : -1;
}
