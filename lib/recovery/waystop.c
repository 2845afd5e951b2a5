#include "waystop.h"

#include "text.h"
#include "walcheck.h"

/* A segment's header, and the record that ends a backup. */
#define FIRST_END (40 + 40)

int
waystop_check(struct repo *r, size_t i, const struct head *h, struct fault *f)
{
	struct wal_sought sought = {h->start_lsn, h->stop_lsn, false};
	uint64_t segno = walname_segno_before(h->stop_lsn, h->segment_size);
	char name[WALNAME_SIZE], start[20], stop[20];
	struct walcheck_result found;
	struct walcheck *w;
	int rc;

	if (h->from_standby ||
	    h->stop_lsn - walname_lsn(segno, h->segment_size) < FIRST_END)
		return 0;
	walname_format(h->stop_timeline, segno, h->segment_size, name);
	rc =
	    walcheck_new(&w, r, i, h->segment_size, repo_conf(r)->spool_dir, f);
	if (rc != 0)
		return rc;
	rc = walcheck_seek(w, name, &sought, &found, f);
	walcheck_free(w);
	if (rc != 0 || sought.found)
		return rc;
	text_format_lsn(h->start_lsn, start);
	text_format_lsn(h->stop_lsn, stop);
	return fault_set(f, FAULT_FOREIGN,
	    "%s is of another server: no backup that began at %s ends there at "
	    "%s",
	    name, start, stop);
}
