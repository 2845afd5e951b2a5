#ifndef CONF_H
#define CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fault.h"
#include "secret.h"

/*
 * The settings file (INI, read with inih) as const structs. Unknown sections,
 * keys and values are CONFIG with file and line; so are settings that
 * contradict each other. Defaults are filled in here and nowhere else.
 * Strings belong to the conf. Manual: pitrkit.conf(5).
 */

#define CONF_JOBS 8  /* most push_jobs and fetch_jobs: memory */
#define CONF_LIST 16 /* most values of a setting that may be repeated */

enum conf_store {
	CONF_STORE_FILE,
	CONF_STORE_S3,
};

enum conf_lock {
	CONF_LOCK_OFF,
	CONF_LOCK_GOVERNANCE,
	CONF_LOCK_COMPLIANCE,
};

/* A secret that is given as a value, a file or a command. At most one. */
struct conf_secret {
	const char *value;
	const char *file;
	const char *command;
};

struct conf_repo {
	const char *name;
	enum conf_store kind;
	const char *path;     /* file:///PATH */
	const char *bucket;   /* s3://BUCKET/PREFIX */
	const char *prefix;   /* "" or without slash at either end */
	const char *endpoint; /* URL without trailing slash */
	const char *region;
	bool host_style; /* addressing = host */
	bool insecure;   /* http:// was allowed */
	bool tls12;      /* tls = 1.2 */
	const char *ca_file;
	const char *ca_path;
	const char *pins[CONF_LIST];
	size_t n_pins;
	const char *access_key_id;
	struct conf_secret secret_access_key;
	struct conf_secret session_token;
	const char *storage_class;         /* NULL: the bucket's default */
	const char *storage_class_base;    /* of packs; NULL: storage_class */
	const char *storage_class_archive; /* of packs with --class archive;
					      NULL: storage_class_base */
	/* To which packs are moved; NULL: as the one before, and not at all. */
	const char *storage_class_weekly;
	const char *storage_class_monthly;
	const char *storage_class_yearly;
	int64_t storage_class_after_ms; /* 0: retain_full */
	enum conf_lock object_lock;
	int line;
	const char *const *stated; /* see conf_stated */
};

struct conf_cluster {
	const char *name;
	const char *pgdata;   /* may be NULL */
	const char *conninfo; /* "" when not given */
	const struct conf_repo *repos[CONF_LIST];
	size_t n_repos;                   /* at least 1 */
	uint32_t push_quorum;             /* 1 .. n_repos */
	const char *key_files[CONF_LIST]; /* empty only with encryption off */
	size_t n_key_files;
	bool encryption; /* false: "encryption = off" was written out */
	int codec;       /* 0 none, 1 zstd: as enum codec_kind */
	int level;
	int64_t push_deadline_ms;  /* 60 s */
	int64_t fetch_deadline_ms; /* 300 s: one file of restore_command */
	int64_t
	    store_deadline_ms;   /* 15 min: a request of a backup or restore */
	const char *spool_dir;   /* /var/spool/pitrkit */
	const char *spill_dir;   /* NULL: WAL is never put aside */
	uint64_t spill_below;    /* 20 %: free bytes of pg_wal's file system, */
	bool spill_percent;      /* or hundredths of its size */
	uint32_t push_jobs;      /* 2: side by side; 0: no look-ahead */
	int64_t push_linger_ms;  /* 5 s */
	uint32_t fetch_jobs;     /* 2: side by side; 0: no prefetch */
	uint64_t fetch_ahead;    /* 128 MiB: of WAL, kept ready in pg_wal */
	int64_t fetch_linger_ms; /* 60 s */
	int64_t retain_full_ms;  /* 30 d */
	int64_t retain_wal_ms;   /* 14 d */
	int64_t retain_archive_ms; /* 2557 d: seven years */
	uint32_t retain_daily;     /* 30; 0: no such tier */
	uint32_t retain_weekly;    /* 12 */
	uint32_t retain_monthly;   /* 12 */
	uint32_t retain_yearly;    /* 7 */
	uint32_t retain_minimum;   /* 2; at least 1 */
	int64_t rto_ms;            /* 4 h */
	int line;
	const char *const *stated;        /* see conf_stated */
	const struct conf *conf;          /* that it is of */
	const struct conf_cluster *whole; /* of conf_only_repos; else NULL */
};

struct conf;

/* path: NULL means CONF_DEFAULT; $PITRKIT_CONF is the caller's to look at.
 * CONFIG also when the file holds a secret and group or others may read it. */
#define CONF_DEFAULT "/etc/pitrkit/pitrkit.conf"
int conf_load(struct conf **out, const char *path, struct fault *f);
/* S3 repositories without credentials of their own get AWS_ACCESS_KEY_ID,
 * AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, as look gives them (getenv). */
int conf_apply_env(
    struct conf *c, char *(*look)(const char *name), struct fault *f);
/* From memory; for tests and fuzzing. */
int conf_parse(struct conf **out, const char *path, const char *text,
    size_t len, struct fault *f);
void conf_free(struct conf *c);
const char *conf_path(const struct conf *c); /* absolute where it can be */

/* The cluster section called name; NULL: the only one there is. */
int conf_cluster(const struct conf *c, const char *name,
    const struct conf_cluster **out, struct fault *f);

/* Index of the cluster's repository called name, as --repo gives it; NULL: 0,
 * the first. */
int conf_find_repo(
    const struct conf_cluster *c, const char *name, size_t *i, struct fault *f);

/* The cluster as if it had these repositories alone, in this order: for who is
 * told by which to go. Its strings belong to the conf, too. CONFIG for one that
 * is named twice. */
int conf_only_repos(const struct conf_cluster *c, const char *const *names,
    size_t n, struct conf_cluster *out, struct fault *f);

/*
 * What the file states for the cluster, and for its repositories as
 * "REPO.SETTING", in one order: values as they stand there, those of a setting
 * that is repeated behind one another. What has a default and is not stated is
 * left out. Of a secret, and of what may hold one, only that it is given.
 * First comes "settings_file", its path. Not 0 from fn ends it with that.
 */
#define CONF_GIVEN "(given)"
typedef int (*conf_stated_fn)(
    void *ctx, const char *name, const char *value, struct fault *f);
int conf_stated(const struct conf_cluster *c, conf_stated_fn fn, void *ctx,
    struct fault *f);

/* Read the secret now. what: setting, for faults. An unset one gives an empty
 * secret. */
int conf_secret_read(const struct conf_secret *s, const char *what,
    struct secret *out, struct fault *f);

#endif
