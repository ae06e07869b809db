/* SPDX-License-Identifier: ISC */
/* tick() in a thread of its own. */
#include "model/ticker.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"

struct ticker {
	struct host *host;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t stop;
	bool is_stopped;                /* under lock */
};

/* True when it is time to end. */
static bool
wait_until(struct ticker *ticker, int64_t at)
{
	struct timespec ts = { at / CLOCK_SECOND, at % CLOCK_SECOND };
	int r = 0;

	(void)pthread_mutex_lock(&ticker->lock);
	while (!ticker->is_stopped && r != ETIMEDOUT)
		r = pthread_cond_clockwait(&ticker->stop, &ticker->lock,
		    CLOCK_MONOTONIC, &ts);
	bool is_stopped = ticker->is_stopped;
	(void)pthread_mutex_unlock(&ticker->lock);
	return is_stopped;
}

static void *
ticker_main(void *arg)
{
	struct ticker *ticker = arg;
	int64_t every = ticker->host->conf->tick_ms;

	while (!wait_until(ticker, clock_after_ms(every)))
		host_tick(ticker->host);
	return NULL;
}

struct ticker *
ticker_new(struct host *host)
{
	struct ticker *ticker = calloc(1, sizeof(*ticker));

	if (ticker == NULL)
		return NULL;
	ticker->host = host;
	(void)pthread_mutex_init(&ticker->lock, NULL);
	(void)pthread_cond_init(&ticker->stop, NULL);
	if (pthread_create(&ticker->thread, NULL, ticker_main, ticker) != 0) {
		free(ticker);
		return NULL;
	}
	return ticker;
}

void
ticker_free(struct ticker **tickerp)
{
	struct ticker *ticker = *tickerp;

	if (ticker == NULL)
		return;
	(void)pthread_mutex_lock(&ticker->lock);
	ticker->is_stopped = true;
	(void)pthread_cond_signal(&ticker->stop);
	(void)pthread_mutex_unlock(&ticker->lock);
	(void)pthread_join(ticker->thread, NULL);
	(void)pthread_cond_destroy(&ticker->stop);
	(void)pthread_mutex_destroy(&ticker->lock);
	free(ticker);
	*tickerp = NULL;
}
