/* SPDX-License-Identifier: ISC */
/*
 * The table of models. "prefork" is not one: it is sync in several processes,
 * kept by the supervisor. "threaded" with workers is the pool.
 */
#include "model/model.h"

const struct model *
model_of(const struct listener_conf *conf)
{
	switch ((enum concurrency)conf->concurrency) {
	case CONCURRENCY_THREADED:
		return conf->workers > 0 ? &pool_model : &threaded_model;
	case CONCURRENCY_FORKING:
		return &forking_model;
	case CONCURRENCY_SYNC:
	case CONCURRENCY_PREFORK:
		break;
	}
	return &sync_model;
}

const struct model *const models[] = {
	&sync_model,
	&threaded_model,
	&pool_model,
	&forking_model,
	NULL,
};
