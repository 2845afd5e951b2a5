#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fdio.h"
#include "log.h"
#include "retain.h"
#include "ship.h"
#include "text.h"
#include "waystop.h"

/* How often the repository is asked for a file that is not there yet. */
#define PAUSE_FIRST_MS 20
#define PAUSE_MOST_MS 2000

#define SWITCH_SLACK 40 /* a segment's header, at most */
#define SWITCHES 3

static bool
can_open(const struct ship *s)
{
	const struct keyring *keys = repo_keys(s->repo);

	return keys == NULL || keyring_can_open(keys);
}

/* Is the file in the repository, and is it what its name says? A host that
 * cannot open it tells by what needs no private key. */
static int
look(struct ship *s, const char *name, struct walmeta *m, struct fault *f)
{
	int64_t ms = s->conf->store_deadline_ms < s->wal_timeout_ms
			 ? s->conf->store_deadline_ms
			 : s->wal_timeout_ms;
	struct deadline d = deadline_in_ms(ms);
	uint64_t stored;

	if (!can_open(s))
		return archive_look_sealed(
		    s->repo, s->repo_index, name, &stored, &d, f);
	return archive_look(s->repo, s->repo_index, name, m, &stored, &d, f);
}

static const char *
repo_name(const struct ship *s)
{
	return s->conf->repos[s->repo_index]->name;
}

static int
too_late(
    struct ship *s, const char *name, const struct fault *last, struct fault *f)
{
	char why[200], time[24];

	text_human_duration(s->wal_timeout_ms, time);
	server_archiver(s, why, sizeof why);
	if (why[0] == '\0')
		snprintf(why, sizeof why, "%.199s",
		    last->code == FAULT_ABSENT
			? s->server.standby
			      ? "the primary has not archived it"
			      : "archive_command does not put it there"
			: last->text);
	return fault_set(f, FAULT_AGAIN,
	    "%s did not come into repository %s within %s: %s", name,
	    repo_name(s), time, why);
}

/* Until it is there. What may pass is waited out; what will not is told. */
static int
wait_for(struct ship *s, const char *name, struct walmeta *m, struct fault *f)
{
	struct deadline d = deadline_in_ms(s->wal_timeout_ms);
	struct fault last = FAULT_INIT;
	int64_t pause = PAUSE_FIRST_MS;
	char why[200], told[200] = "", time[24];
	bool said = false;

	for (;;) {
		int rc = look(s, name, m, &last);

		if (rc == 0)
			return 0;
		if (rc != FAULT_ABSENT && rc != FAULT_AGAIN) {
			*f = last;
			return rc;
		}
		if (deadline_passed(&d))
			return too_late(s, name, &last, f);
		if (!said && pause >= PAUSE_MOST_MS) {
			text_human_duration(s->wal_timeout_ms, time);
			log_line(0,
			    "waiting up to %s for archive_command to put %s "
			    "into repository %s",
			    time, name, repo_name(s));
			said = true;
		}
		server_archiver(s, why, sizeof why);
		if (strcmp(why, told) != 0 && why[0] != '\0')
			log_line(0, "%s", why);
		memcpy(told, why, sizeof told);
		clock_sleep_ms(pause);
		pause = pause * 2 > PAUSE_MOST_MS ? PAUSE_MOST_MS : pause * 2;
	}
}

/* A cluster that was promoted before pitrkit came has a history file that
 * archive_command will never be called for again. The server still tells it. */
static int
push_history(struct ship *s, const char *name, struct fault *f)
{
	struct deadline d = deadline_in_ms(s->conf->push_deadline_ms);
	struct archive_result res;
	char dir[] = "/tmp/basebackup-ship.XXXXXX";
	char *text = NULL, *path = NULL;
	int rc = server_history(s, &text, f);

	if (rc != 0)
		return rc;
	if (mkdtemp(dir) == NULL || (path = fdio_join(dir, name)) == NULL) {
		free(text);
		return fault_set(f, FAULT_SYSTEM, "no folder %s", dir);
	}
	rc = fdio_atomic_put(path, 0600, text, strlen(text), 0, f);
	if (rc == 0)
		rc = archive_push(s->repo, path, NULL, &d, &res, f);
	if (rc == 0)
		log_line(1, "%s taken from the server into the archive", name);
	(void)unlink(path);
	(void)rmdir(dir);
	free(path);
	free(text);
	return rc;
}

static int
prove_history(struct ship *s, struct fault *f)
{
	char name[WALNAME_SIZE];
	int rc;

	if (s->server.timeline < 2)
		return 0;
	walname_format_history(s->server.timeline, name);
	rc = look(s, name, NULL, f);
	if (rc == FAULT_ABSENT) {
		fault_clear(f);
		rc = push_history(s, name, f);
	}
	return rc == 0 ? wait_for(s, name, NULL, f) : rc;
}

/* Somebody else archives under our name, and archive_command is refused. */
static int
not_ours(struct ship *s, const char *name, const char *why, struct fault *f)
{
	char failed[200];

	server_archiver(s, failed, sizeof failed);
	return fault_set(f, FAULT_FOREIGN,
	    "%s in repository %s is not this server's WAL%s%s: does another "
	    "server archive as cluster %s?%s%s",
	    name, repo_name(s), why[0] != '\0' ? ", " : "", why, s->conf->name,
	    failed[0] != '\0' ? " " : "", failed);
}

/* Does the segment end with the switch that we made? PostgreSQL counts the
 * header of a page that it would have filled. */
static int
see_switch(struct ship *s, char name[WALNAME_SIZE], bool *ours, struct fault *f)
{
	struct walmeta m = {.size = 0};
	uint64_t lsn;
	int rc = server_switch(s, &lsn, f);

	if (rc != 0)
		return rc;
	walname_format(s->server.timeline,
	    walname_segno_before(lsn, s->server.segment_size),
	    s->server.segment_size, name);
	rc = wait_for(s, name, &m, f);
	*ours =
	    !can_open(s) || (m.summary.switched && lsn >= m.summary.end_lsn &&
				lsn - m.summary.end_lsn <= SWITCH_SLACK);
	return rc;
}

int
prove_archiving(struct ship *s, struct fault *f)
{
	char name[WALNAME_SIZE];
	bool ours = false;
	int rc;

	if ((rc = prove_history(s, f)) != 0)
		return rc;
	if (s->server.standby) {
		log_line(0,
		    "the server is a standby: that its primary archives is "
		    "seen when the backup's WAL arrives, not before");
		return 0;
	}
	if ((rc = server_check_archiving(s, f)) != 0)
		return rc;
	/* Somebody else may have switched just before us. */
	for (int i = 0; rc == 0 && !ours && i < SWITCHES; i++)
		rc = see_switch(s, name, &ours, f);
	if (rc == 0 && !ours)
		rc = not_ours(s, name, "", f);
	if (rc != 0)
		return fault_prefix(f, "archiving does not work");
	log_line(
	    1, "archiving works: %s is in repository %s", name, repo_name(s));
	return 0;
}

/* On a host that cannot open what is stored: the server's own file tells, as
 * long as it is there, and else whether archive_command succeeds. */
static int
prove_end_sealed(struct ship *s, const char *name, struct fault *f)
{
	struct deadline d = deadline_in_ms(s->conf->store_deadline_ms);
	struct fault why = FAULT_INIT;
	char path[PATH_MAX], failed[200];
	bool same;

	if (s->server.standby)
		return 0;
	if (s->source == SOURCE_FILES &&
	    snprintf(path, sizeof path, "%s/pg_wal/%s", s->conf->pgdata, name) <
		(int)sizeof path &&
	    archive_same(s->repo, s->repo_index, path, &same, &d, &why) == 0)
		return same ? 0 : not_ours(s, name, "", f);
	server_archiver(s, failed, sizeof failed);
	if (failed[0] != '\0')
		log_line(0,
		    "WARNING: whether the WAL of this backup is this server's "
		    "cannot be seen without the key itself, and %s",
		    failed);
	return 0;
}

/* From the backup's end, which is ours, back to its beginning each segment is
 * the one that the next follows. */
static int
prove_end(struct ship *s, const char *name, struct fault *f)
{
	struct fault why = FAULT_INIT;
	int rc;

	if (!can_open(s))
		return prove_end_sealed(s, name, f);
	rc = waystop_check(s->repo, s->repo_index, &s->head, &why);
	if (rc == 0)
		return 0;
	if (rc == FAULT_FOREIGN)
		return not_ours(s, name, "", f);
	if (rc == FAULT_CORRUPT || rc == FAULT_KEY) {
		*f = why;
		return fault_prefix(f, "%s", name);
	}
	/* It was looked at just now: a line too slow for all of it, or a host
	 * without room, does not take back a backup that is whole. */
	log_line(0,
	    "WARNING: whether %s is this server's WAL could not be seen: %s",
	    name, why.text);
	return 0;
}

int
prove_wal(struct ship *s, struct fault *f)
{
	const struct head *h = &s->head;
	uint64_t first = walname_segno_of(h->start_lsn, h->segment_size);
	uint64_t last = walname_segno_before(h->stop_lsn, h->segment_size);
	char name[WALNAME_SIZE];
	struct wal_joint edge = {.head = false};
	struct fault why = FAULT_INIT;
	int rc = 0;

	for (uint64_t n = first; rc == 0 && n <= last; n++) {
		struct walmeta m = {.size = 0};

		walname_format(h->timeline, n, h->segment_size, name);
		rc = wait_for(s, name, &m, f);
		if (rc == 0 &&
		    wal_joint_check(&edge, &m.summary.joint, &why) != 0)
			rc = not_ours(s, name, why.text, f);
		edge = m.summary.joint;
	}
	if (rc == 0)
		rc = prove_end(s, name, f);
	if (rc != 0)
		return fault_prefix(
		    f, "the backup is not complete without its WAL");
	log_line(1, "WAL: %llu segments, the last %s",
	    (unsigned long long)(last - first + 1), name);
	return 0;
}

int
prove_lock(struct ship *s, struct fault *f)
{
	const struct head *h = &s->head;
	uint64_t first = walname_segno_of(h->start_lsn, h->segment_size);
	uint64_t last = walname_segno_before(h->stop_lsn, h->segment_size);
	struct retain_policy policy;
	struct store *store;
	int64_t now_us, until_us;
	int rc = repo_store(s->repo, s->repo_index, &store, f);

	if (rc != 0 || !store_has_lock(store))
		return rc;
	repo_policy(s->conf, &policy);
	now_us = store_now_us(store);
	until_us = now_us + retain_lock_backup_us(&policy,
				retain_class_of(h->retention_class), now_us);
	for (uint64_t n = first; rc == 0 && n <= last; n++) {
		struct deadline d = deadline_in_ms(s->conf->store_deadline_ms);
		char name[WALNAME_SIZE], key[LAYOUT_KEY];
		struct walname w;

		walname_format(h->timeline, n, h->segment_size, name);
		if ((rc = walname_parse(name, &w, f)) == 0 &&
		    (rc = layout_wal(repo_cluster(s->repo),
			 repo_system_id(s->repo), name, &w, key, f)) == 0)
			rc = store_lock_extend(
			    store, key, until_us, NULL, &d, f);
	}
	return rc == 0 ? 0 : fault_prefix(f, "locking the backup's WAL");
}
