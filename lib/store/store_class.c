#include "store_ops.h"

static struct deadline
or_never(const struct deadline *d)
{
	return d ? *d : deadline_never();
}

int
store_class_move(struct store *s, const char *key, const char *class,
    bool *done, const struct deadline *d, struct fault *f)
{
	struct deadline until = or_never(d);
	int rc = store_key_check(key, f);

	if (rc)
		return rc;
	if (!s->ops->class_move)
		return fault_set(f, FAULT_CONFIG,
		    "repository %s: %s has no storage classes", s->name,
		    s->url);
	*done = false;
	return s->ops->class_move(s, key, class, done, &until, f);
}

int
store_class_spares(struct store *s, const char *prefix, store_list_fn cb,
    void *ctx, const struct deadline *d, struct fault *f)
{
	struct deadline until = or_never(d);
	int rc = store_key_check_prefix(prefix, f);

	if (rc || !s->ops->class_spares)
		return rc;
	return s->ops->class_spares(s, prefix, cb, ctx, &until, f);
}
