#include <stdlib.h>
#include <string.h>

#include "crypto.h"
#include "verify.h"

/* What is known of one repository, and what a second look at it begins with. */

void
state_begin(struct verify *v, const struct verify_run *run)
{
	memset(v, 0, sizeof *v);
	v->run = run;
	pthread_mutex_init(&v->lock, NULL);
}

void
state_again(struct verify *w, const struct verify *v)
{
	state_begin(w, v->run);
	w->only = v->only;
	w->repo = v->repo;
	w->store = v->store;
	w->last = v->last;
	w->known_before = v->known_before;
}

void
state_clear(struct verify *v)
{
	found_free(v);
	gather_free(&v->gather);
	blocks_free(&v->blocks);
	crypto_hash_free(v->hash);
	free(v->folders);
	free(v->packs);
	free(v->others);
	chain_free(&v->missing);
	free(v->backups);
	for (size_t i = 0; i < v->n_damaged; i++)
		free(v->damaged[i].why);
	free(v->damaged);
	free(v->ends);
	free(v->spans);
	free(v->borders);
	free(v->windows);
	free(v->window_ends);
	free(v->heads);
	free(v->prunes);
	free(v->tails.t);
	free(v->came);
	free(v->listed);
	free(v->reports);
	ledger_free(&v->ledger);
	pthread_mutex_destroy(&v->lock);
}
