#include <pthread.h>
#include <stdlib.h>

#include "object_core.h"

/*
 * A content that is there as a whole, sealed by several threads. Each takes the
 * next chunk, into a slot of its own; the caller's puts them out in their order
 * and seals itself when the one it waits for is not ready. So it does not
 * depend on the others: where they get no processor, it does all.
 */

#define CONTENT_HANDS 4 /* at most */
#define CONTENT_SLOTS (2 * CONTENT_HANDS)

struct content_slot {
	unsigned char *stored;
	size_t n;
	bool ready;
};

struct content {
	struct object_sealer *s;
	const unsigned char *data;
	size_t len;
	size_t chunks;
	uint32_t first; /* index of the first */
	size_t cap;     /* of a slot */
	size_t n_slots;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	/* under the lock: */
	size_t taken; /* chunks */
	size_t out;   /* of these, put out */
	struct content_slot slots[CONTENT_SLOTS];
	int rc;
	struct fault fault;
};

struct content_helper {
	struct content *c;
	struct object_hand *hand;
	pthread_t thread;
};

static size_t
content_length(const struct content *c, size_t chunk)
{
	const size_t left = c->len - chunk * OBJECT_CHUNK;

	return left < OBJECT_CHUNK ? left : OBJECT_CHUNK;
}

static void
content_fail(struct content *c, int rc, const struct fault *f)
{
	if (c->rc == 0) {
		c->rc = rc;
		c->fault = *f;
	}
}

static bool
content_has_room(const struct content *c)
{
	return c->taken < c->chunks && c->taken < c->out + c->n_slots;
}

/* The next chunk; under the lock, which is let go meanwhile. */
static void
content_seal(struct content *c, struct object_hand *h)
{
	const size_t chunk = c->taken++;
	struct content_slot *slot = &c->slots[chunk % c->n_slots];
	struct fault f = FAULT_INIT;
	int rc;

	pthread_mutex_unlock(&c->lock);
	rc = object_hand_seal(h, c->first + (uint32_t)chunk,
	    c->data + chunk * OBJECT_CHUNK, content_length(c, chunk),
	    slot->stored, c->cap, &slot->n, &f);
	pthread_mutex_lock(&c->lock);
	if (rc != 0)
		content_fail(c, rc, &f);
	slot->ready = true;
	pthread_cond_broadcast(&c->changed);
}

static void *
content_help(void *arg)
{
	struct content_helper *h = arg;
	struct content *c = h->c;

	pthread_mutex_lock(&c->lock);
	while (c->rc == 0 && c->taken < c->chunks) {
		if (content_has_room(c))
			content_seal(c, h->hand);
		else
			pthread_cond_wait(&c->changed, &c->lock);
	}
	pthread_mutex_unlock(&c->lock);
	return NULL;
}

/* Under the lock, which is let go meanwhile. */
static void
content_put(struct content *c)
{
	struct content_slot *slot = &c->slots[c->out % c->n_slots];
	struct fault f = FAULT_INIT;
	int rc;

	pthread_mutex_unlock(&c->lock);
	rc = object_sealer_put(
	    c->s, slot->stored, slot->n, content_length(c, c->out), NULL, &f);
	pthread_mutex_lock(&c->lock);
	if (rc != 0)
		content_fail(c, rc, &f);
	slot->ready = false;
	c->out++;
	pthread_cond_broadcast(&c->changed);
}

static void
content_run(struct content *c, struct object_hand *h)
{
	pthread_mutex_lock(&c->lock);
	while (c->rc == 0 && c->out < c->chunks) {
		if (c->slots[c->out % c->n_slots].ready)
			content_put(c);
		else if (content_has_room(c))
			content_seal(c, h);
		else
			pthread_cond_wait(&c->changed, &c->lock);
	}
	pthread_cond_broadcast(&c->changed);
	pthread_mutex_unlock(&c->lock);
}

/* As many helpers as can be had; without any the caller does it alone. */
static size_t
content_call_helpers(
    struct content *c, struct content_helper *helpers, size_t wanted)
{
	struct fault ignored = FAULT_INIT;
	size_t n = 0;

	for (; n < wanted; n++) {
		helpers[n].c = c;
		if (object_sealer_hand(c->s, &helpers[n].hand, &ignored) != 0)
			break;
		if (pthread_create(&helpers[n].thread, NULL, content_help,
			&helpers[n]) != 0) {
			object_hand_free(helpers[n].hand);
			break;
		}
	}
	return n;
}

static int
content_share(struct content *c, unsigned hands, struct fault *f)
{
	struct content_helper helpers[CONTENT_HANDS - 1];
	struct object_hand *own = NULL;
	size_t n = 0;
	int rc = object_sealer_hand(c->s, &own, f);

	c->n_slots = 2 * (size_t)hands;
	c->cap = rc == 0 ? object_hand_bound(own, OBJECT_CHUNK) : 0;
	for (size_t i = 0; rc == 0 && i < c->n_slots; i++)
		if ((c->slots[i].stored = malloc(c->cap)) == NULL)
			rc = fault_nomem(f);
	if (rc == 0) {
		n = content_call_helpers(c, helpers, hands - 1);
		content_run(c, own);
		for (size_t i = 0; i < n; i++) {
			pthread_join(helpers[i].thread, NULL);
			object_hand_free(helpers[i].hand);
		}
		if ((rc = c->rc) != 0)
			*f = c->fault;
	}
	for (size_t i = 0; i < c->n_slots; i++)
		free(c->slots[i].stored);
	object_hand_free(own);
	return rc;
}

static int
content_alone(struct object_sealer *s, const unsigned char *data, size_t len,
    struct fault *f)
{
	int rc = 0;

	while (rc == 0 && len > 0) {
		const size_t n = len < OBJECT_CHUNK ? len : OBJECT_CHUNK;

		rc = object_seal_chunk(s, data, n, NULL, f);
		data += n;
		len -= n;
	}
	return rc;
}

int
object_seal_content(struct object_sealer *s, const void *content, size_t len,
    unsigned hands, struct fault *f)
{
	struct content c = {
	    .s = s,
	    .data = content,
	    .len = len,
	    .chunks = len / OBJECT_CHUNK + (len % OBJECT_CHUNK != 0),
	    .first = object_sealer_index(s),
	    .lock = PTHREAD_MUTEX_INITIALIZER,
	    .changed = PTHREAD_COND_INITIALIZER,
	};
	int rc;

	if (hands > CONTENT_HANDS)
		hands = CONTENT_HANDS;
	if (hands > c.chunks)
		hands = (unsigned)c.chunks;
	if (hands < 2)
		return content_alone(s, content, len, f);
	rc = object_sealer_check(s, c.chunks, OBJECT_CHUNK, f);
	if (rc == 0 && (rc = content_share(&c, hands, f)) != 0)
		object_sealer_fail(s);
	pthread_mutex_destroy(&c.lock);
	pthread_cond_destroy(&c.changed);
	return rc;
}
