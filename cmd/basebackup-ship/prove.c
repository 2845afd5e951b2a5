#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fdio.h"
#include "log.h"
#include "retain.h"
#include "ship.h"
#include "text.h"

/* How often the repository is asked for a file that is not there yet. */
#define PAUSE_FIRST_MS 20
#define PAUSE_MOST_MS 2000

/* Is the file in the repository, and is it what its name says? A host that
 * cannot open it tells by what needs no private key. */
static int
look(struct ship *s, const char *name, struct fault *f)
{
	const struct keyring *keys = repo_keys(s->repo);
	int64_t ms = s->conf->store_deadline_ms < s->wal_timeout_ms
			 ? s->conf->store_deadline_ms
			 : s->wal_timeout_ms;
	struct deadline d = deadline_in_ms(ms);
	uint64_t stored;

	if (keys != NULL && !keyring_can_open(keys))
		return archive_look_sealed(
		    s->repo, s->repo_index, name, &stored, &d, f);
	return archive_look(s->repo, s->repo_index, name, NULL, &stored, &d, f);
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
wait_for(struct ship *s, const char *name, struct fault *f)
{
	struct deadline d = deadline_in_ms(s->wal_timeout_ms);
	struct fault last = FAULT_INIT;
	int64_t pause = PAUSE_FIRST_MS;
	char why[200], told[200] = "";
	bool said = false;

	for (;;) {
		int rc = look(s, name, &last);

		if (rc == 0)
			return 0;
		if (rc != FAULT_ABSENT && rc != FAULT_AGAIN) {
			*f = last;
			return rc;
		}
		if (deadline_passed(&d))
			return too_late(s, name, &last, f);
		if (!said && pause >= PAUSE_MOST_MS) {
			log_line(0, "waiting for %s in repository %s", name,
			    repo_name(s));
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
	rc = look(s, name, f);
	if (rc == FAULT_ABSENT) {
		fault_clear(f);
		rc = push_history(s, name, f);
	}
	return rc == 0 ? wait_for(s, name, f) : rc;
}

int
prove_archiving(struct ship *s, struct fault *f)
{
	char name[WALNAME_SIZE];
	uint64_t lsn;
	int rc;

	if ((rc = prove_history(s, f)) != 0)
		return rc;
	if (s->server.standby) {
		log_line(0,
		    "the server is a standby: that its primary archives is "
		    "seen when the backup's WAL arrives, not before");
		return 0;
	}
	if ((rc = server_check_archiving(s, f)) != 0 ||
	    (rc = server_switch(s, &lsn, f)) != 0)
		return rc;
	walname_format(s->server.timeline,
	    walname_segno_before(lsn, s->server.segment_size),
	    s->server.segment_size, name);
	if (wait_for(s, name, f) != 0)
		return fault_prefix(f, "archiving does not work");
	log_line(
	    1, "archiving works: %s is in repository %s", name, repo_name(s));
	return 0;
}

int
prove_wal(struct ship *s, struct fault *f)
{
	const struct head *h = &s->head;
	uint64_t first = walname_segno_of(h->start_lsn, h->segment_size);
	uint64_t last = walname_segno_before(h->stop_lsn, h->segment_size);
	char name[WALNAME_SIZE];

	for (uint64_t n = first; n <= last; n++) {
		walname_format(h->timeline, n, h->segment_size, name);
		if (wait_for(s, name, f) != 0)
			return fault_prefix(
			    f, "the backup is not complete without its WAL");
	}
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
