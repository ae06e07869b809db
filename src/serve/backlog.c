/* SPDX-License-Identifier: ISC */
/* A queue of arrivals in this process. */
#include "serve/backlog.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct backlog_item {
	struct arrival arrival;
	struct backlog_item *next;
	char data[];                    /* of a datagram */
};

void
backlog_init(struct backlog *backlog)
{
	(void)pthread_mutex_init(&backlog->lock, NULL);
	(void)pthread_cond_init(&backlog->changed, NULL);
	backlog->first = NULL;
	backlog->last = &backlog->first;
	atomic_init(&backlog->count, 0);
	backlog->is_complete = false;
}

int
backlog_add(struct backlog *backlog, const struct arrival *arrival)
{
	bool is_stream = arrival->endpoint->transport->is_stream;
	size_t len = is_stream ? 0 : arrival->len;
	struct backlog_item *item = malloc(sizeof(*item) + len);

	if (item == NULL)
		return -ENOMEM;
	item->arrival = *arrival;
	item->next = NULL;
	if (len > 0)
		memcpy(item->data, arrival->data, len);
	(void)pthread_mutex_lock(&backlog->lock);
	*backlog->last = item;
	backlog->last = &item->next;
	atomic_fetch_add(&backlog->count, 1);
	(void)pthread_cond_signal(&backlog->changed);
	(void)pthread_mutex_unlock(&backlog->lock);
	return 0;
}

void
backlog_complete(struct backlog *backlog)
{
	(void)pthread_mutex_lock(&backlog->lock);
	backlog->is_complete = true;
	(void)pthread_cond_broadcast(&backlog->changed);
	(void)pthread_mutex_unlock(&backlog->lock);
}

static struct backlog_item *
pop(struct backlog *backlog)
{
	struct backlog_item *item = backlog->first;

	if (item != NULL) {
		backlog->first = item->next;
		atomic_fetch_sub(&backlog->count, 1);
	}
	if (backlog->first == NULL)
		backlog->last = &backlog->first;
	return item;
}

int
backlog_take(struct backlog *backlog, struct arrival *arrival, bool wait)
{
	char *data = arrival->data;
	size_t size = arrival->size;

	(void)pthread_mutex_lock(&backlog->lock);
	while (wait && backlog->first == NULL && !backlog->is_complete)
		(void)pthread_cond_wait(&backlog->changed, &backlog->lock);
	struct backlog_item *item = pop(backlog);
	bool is_complete = backlog->is_complete;
	(void)pthread_mutex_unlock(&backlog->lock);
	if (item == NULL)
		return is_complete ? -ECANCELED : -EAGAIN;
	*arrival = item->arrival;
	arrival->data = data;
	arrival->size = size;
	if (!arrival->endpoint->transport->is_stream && arrival->len > 0)
		memcpy(data, item->data, arrival->len < size ? arrival->len :
		    size);
	free(item);
	return 0;
}

void
backlog_forget(const struct backlog *backlog, int keep)
{
	const struct backlog_item *item = backlog->first;

	for (; item != NULL; item = item->next)
		if (item->arrival.endpoint->transport->is_stream &&
		    item->arrival.fd != keep)
			(void)close(item->arrival.fd);
}

void
backlog_free(struct backlog *backlog)
{
	struct backlog_item *item;

	backlog_forget(backlog, -1);
	while ((item = pop(backlog)) != NULL)
		free(item);
}
