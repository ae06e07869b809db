/* SPDX-License-Identifier: ISC */
/*
 * Lingering closes. `incoming` is filled by any thread under the lock; all
 * else belongs to the main thread. Entries are kept oldest first, so that one
 * timer serves all: each has the same time.
 */
#include "serve/linger.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "handler/host.h"

#define LINGER_MAX 256

struct entry {
	struct linger_list *list;
	int fd;                         /* owned */
	int64_t until;
	struct watch watch;
	struct entry *next, *previous;
};

struct linger_list {
	struct loop *loop;              /* borrowed */
	pthread_mutex_t lock;
	int incoming[LINGER_MAX];       /* under lock; owned */
	unsigned incoming_count;        /* under lock */
	unsigned total;                 /* under lock: incoming and entries */
	struct entry *first, *last;     /* owned */
	int wake;                       /* eventfd */
	struct watch watch;
	struct timer timer;
	void (*idle)(void *);
	void *idle_arg;
};

static void timer_is_over(struct timer *timer);

static void
set_timer(struct linger_list *list)
{
	if (list->first == NULL)
		timer_stop(list->loop, &list->timer);
	else
		(void)timer_start(list->loop, &list->timer,
		    list->first->until, timer_is_over, list);
}

static void
tell_idle(struct linger_list *list)
{
	(void)pthread_mutex_lock(&list->lock);
	bool is_idle = list->total == 0;
	(void)pthread_mutex_unlock(&list->lock);
	if (is_idle && list->idle != NULL)
		list->idle(list->idle_arg);
}

static void
drop_place(struct linger_list *list)
{
	(void)pthread_mutex_lock(&list->lock);
	list->total--;
	(void)pthread_mutex_unlock(&list->lock);
}

static void
entry_free(struct entry *entry)
{
	struct linger_list *list = entry->list;

	watch_stop(list->loop, &entry->watch);
	fd_close(&entry->fd);
	if (entry->previous != NULL)
		entry->previous->next = entry->next;
	else
		list->first = entry->next;
	if (entry->next != NULL)
		entry->next->previous = entry->previous;
	else
		list->last = entry->previous;
	free(entry);
	drop_place(list);
}

static void
timer_is_over(struct timer *timer)
{
	struct linger_list *list = timer->arg;
	int64_t now = clock_now();

	while (list->first != NULL && list->first->until <= now)
		entry_free(list->first);
	set_timer(list);
	tell_idle(list);
}

/* Input: read it away. At most so much a turn, others wait too. */
static void
entry_ready(struct watch *watch, uint32_t events)
{
	struct entry *entry = watch->arg;
	struct linger_list *list = entry->list;
	char scratch[16384];
	ssize_t n = 0;

	(void)events;
	for (int i = 0; i < 16; i++) {
		n = recv(entry->fd, scratch, sizeof(scratch), MSG_DONTWAIT);
		if (n <= 0)
			break;
	}
	if (n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR)))
		return;
	entry_free(entry);
	set_timer(list);
	tell_idle(list);
}

static void
entry_new(struct linger_list *list, int fd)
{
	struct entry *entry = calloc(1, sizeof(*entry));

	if (entry == NULL) {
		fd_close(&fd);
		drop_place(list);
		return;
	}
	entry->list = list;
	entry->fd = fd;
	entry->until = clock_after_ms(HOST_LINGER_MS);
	entry->previous = list->last;
	if (list->last != NULL)
		list->last->next = entry;
	else
		list->first = entry;
	list->last = entry;
	entry->watch.fd = -1;
	if (watch_start(list->loop, &entry->watch, fd, EPOLLIN | EPOLLRDHUP,
	    entry_ready, entry) < 0)
		entry_free(entry);
}

static void
take_incoming(struct watch *watch, uint32_t events)
{
	struct linger_list *list = watch->arg;
	int fds[LINGER_MAX];
	uint64_t n;

	(void)events;
	(void)!read(list->wake, &n, sizeof(n));
	(void)pthread_mutex_lock(&list->lock);
	unsigned count = list->incoming_count;
	memcpy(fds, list->incoming, count * sizeof(fds[0]));
	list->incoming_count = 0;
	(void)pthread_mutex_unlock(&list->lock);
	for (unsigned i = 0; i < count; i++)
		entry_new(list, fds[i]);
	set_timer(list);
	tell_idle(list);
}

void
linger_add(struct linger_list *list, int fd)
{
	const uint64_t one = 1;

	(void)pthread_mutex_lock(&list->lock);
	bool has_room = list->total < LINGER_MAX;
	if (has_room) {
		list->incoming[list->incoming_count++] = fd;
		list->total++;
	}
	(void)pthread_mutex_unlock(&list->lock);
	if (has_room)
		(void)!write(list->wake, &one, sizeof(one));
	else
		fd_close(&fd);
}

struct linger_list *
linger_new(struct loop *loop)
{
	struct linger_list *list = calloc(1, sizeof(*list));

	if (list == NULL)
		return NULL;
	list->loop = loop;
	(void)pthread_mutex_init(&list->lock, NULL);
	list->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (list->wake < 0 || watch_start(loop, &list->watch, list->wake,
	    EPOLLIN, take_incoming, list) < 0)
		linger_free(&list);
	return list;
}

void
linger_when_idle(struct linger_list *list, void (*idle)(void *), void *arg)
{
	list->idle = idle;
	list->idle_arg = arg;
	tell_idle(list);
}

void
linger_forget(const struct linger_list *list)
{
	for (const struct entry *e = list->first; e != NULL; e = e->next)
		(void)close(e->fd);
	for (unsigned i = 0; i < list->incoming_count; i++)
		(void)close(list->incoming[i]);
	(void)close(list->wake);
}

void
linger_free(struct linger_list **listp)
{
	struct linger_list *list = *listp;

	if (list == NULL)
		return;
	list->idle = NULL;
	while (list->first != NULL)
		entry_free(list->first);
	for (unsigned i = 0; i < list->incoming_count; i++)
		fd_close(&list->incoming[i]);
	watch_stop(list->loop, &list->watch);
	timer_stop(list->loop, &list->timer);
	fd_close(&list->wake);
	(void)pthread_mutex_destroy(&list->lock);
	free(list);
	*listp = NULL;
}
