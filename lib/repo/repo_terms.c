#include <string.h>

#include "repo.h"
#include "retain.h"

void
repo_policy(const struct conf_cluster *c, struct retain_policy *out)
{
	*out = (struct retain_policy){.full_us = c->retain_full_ms * 1000,
	    .wal_us = c->retain_wal_ms * 1000,
	    .archive_us = c->retain_archive_ms * 1000,
	    .daily = c->retain_daily,
	    .weekly = c->retain_weekly,
	    .monthly = c->retain_monthly,
	    .yearly = c->retain_yearly,
	    .minimum = c->retain_minimum};
}

/* Packs alone go to a colder class: the rest of a backup is small, and is read
 * by every pruning and by every restore's choice. */
static const char *
pack_class(const struct conf_repo *c, const char *class)
{
	if (strcmp(class, "archive") == 0 && c->storage_class_archive != NULL)
		return c->storage_class_archive;
	return c->storage_class_base;
}

int
repo_store_for(struct repo *r, size_t i, enum object_kind kind,
    struct store **out, struct fault *f)
{
	struct retain_policy policy;
	struct store_terms t = {NULL, 0};
	int rc = repo_store(r, i, out, f);

	if (rc != 0)
		return rc;
	repo_policy(repo_conf(r), &policy);
	switch (kind) {
	case OBJECT_WAL:
	case OBJECT_LABEL:
	case OBJECT_PARTIAL:
		t.lock_us = retain_lock_wal_us(&policy);
		break;
	case OBJECT_PACK:
		t.storage_class =
		    pack_class(repo_conf(r)->repos[i], repo_class(r));
		/* fall through */
	case OBJECT_MANIFEST:
	case OBJECT_HEAD:
		t.lock_us = retain_lock_backup_us(
		    &policy, retain_class_of(repo_class(r)), clock_now_us());
		break;
	case OBJECT_HISTORY:
	case OBJECT_ARCHIVE:
	case OBJECT_KEY:
	case OBJECT_HOLD:
	case OBJECT_AUDIT:
	case OBJECT_REPORT:
		t.lock_us = retain_lock_record_us(&policy);
		break;
	}
	store_set_terms(*out, &t);
	return 0;
}
