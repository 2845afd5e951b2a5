"""The tools that are measured, each with a fresh repository and its own
settings.  The same class of compression and encryption for all that have it:
zstd level 1 and AES-256; what a tool lacks stands in its note."""
import json
import os
import re
import shutil
import subprocess

from procs import Failed
from world import PGBIN


class Tool:
    """archive and restore: the commands PostgreSQL is given.

    wal_limit  segments it gets at most, because it is slow
    once       it is measured in the first round only
    """
    key = label = note = ""
    comms = ()
    stores = ("file", "s3")
    works = None
    wal_limit = None
    once = False
    has_backup = True
    looks_ahead = True

    def setup(self, world, store, data, server=None):
        self.world, self.store, self.data = world, store, data
        self.server = server
        self.home = world.path(self.key)
        os.mkdir(self.home)
        store.fresh(self.key)
        self.configure()
        self.create()

    def create(self):
        pass

    def repoint(self, data):
        """The same repository, seen from another data directory."""
        self.data = data
        self.forget()
        self.configure()

    def forget(self):
        """As after a restart of the host: nothing runs, nothing is cached."""
        self.world.reaper.end_orphans()
        shutil.rmtree(os.path.join(self.home, "spool"), ignore_errors=True)

    def label_for(self, work):
        return self.label

    def does(self, work, store):
        if store.name not in self.stores:
            return False
        if self.works is not None and work not in self.works:
            return False
        if work in ("backup", "restore", "verify"):
            return self.has_backup
        if work == "hit":
            return self.looks_ahead
        return self.wal_limit is None or work in ("drain", "fetch", "lone")

    def count(self, n):
        return min(n, self.wal_limit or n)

    def archive_of(self, path):
        return self.archive.replace("%p", path).replace(
            "%f", os.path.basename(path))

    def restore_of(self, name, path):
        return self.restore.replace("%f", name).replace("%p", path)

    def write(self, name, text):
        path = os.path.join(self.home, name)
        with open(path, "w", encoding="utf-8",
                  opener=lambda p, f: os.open(p, f, 0o600)) as f:
            f.write(text)
        return path

    def done(self):
        self.forget()
        self.store.drop()
        shutil.rmtree(self.home, ignore_errors=True)


class Pitrkit(Tool):
    key = label = "pitrkit"
    note = "zstd 1, AES-256-GCM"
    comms = ("walpush", "walfetch", "basebackup-ship", "pitr-restore",
             "repo-verify")

    # files is what basebackup-ship does by itself on the server's host.
    def __init__(self, build, source="files", settings="", jobs=None):
        self.build, self.source, self.settings = build, source, settings
        self.jobs = ""
        if jobs:
            self.settings += f"push_jobs = {jobs}\nfetch_jobs = {jobs}\n"
            self.jobs = f" --jobs {jobs}"
            self.note += f", {jobs} jobs"
        if source != "files":
            self.key = f"pitrkit-{source}"
            self.label = f"pitrkit --source {source}"
            self.works = ("backup",)

    def configure(self):
        store = self.store
        key = os.path.join(self.home, "key")
        if not os.path.exists(key):
            self.world.reaper.run([f"{self.build}/repo-key", "generate", key])
        text = (f"[cluster main]\npgdata = {self.data}\nrepo = r\n"
                f"key_file = {key}\nspool_dir = {self.home}/spool\n"
                + self.settings)
        if self.server:
            text += (f"conninfo = host={self.world.sockets} "
                     f"port={self.server.port} user=postgres\n")
        text += "\n[repo r]\n"
        if store.name == "file":
            text += f"url = file://{store.where}\n"
        else:
            text += (f"url = s3://{store.bucket}/site\n"
                     f"endpoint = {store.endpoint}\n"
                     f"region = {store.env['S3_REGION']}\n"
                     "addressing = path\n"
                     f"ca_file = {store.env['S3_CA_FILE']}\n"
                     f"access_key_id = {store.env['S3_ACCESS_KEY_ID']}\n"
                     f"secret_access_key_file = "
                     f"{store.env['S3_SECRET_FILE']}\n")
        conf = self.write("pitrkit.conf", text)
        os.makedirs(os.path.join(self.home, "spool"), exist_ok=True)
        self.archive = f'"{self.build}/walpush" -c "{conf}" %p'
        self.restore = f'"{self.build}/walfetch" -c "{conf}" %f %p'
        self.backup = (f'exec "{self.build}/basebackup-ship" -c "{conf}" '
                       f'--source {self.source} --no-progress{self.jobs}')
        self.verify = (f'exec "{self.build}/repo-verify" -c "{conf}"'
                       f'{self.jobs}')
        self.plan = (f'exec "{self.build}/retention-prune" -c "{conf}" '
                     "--dry-run --json")
        self.conf = conf

    def restore_tree(self, target):
        return (f'exec "{self.build}/pitr-restore" -c "{self.conf}" '
                f'--target-dir "{target}" --target-immediate --no-progress'
                f'{self.jobs}')

    def version(self):
        out = subprocess.run([f"{self.build}/walpush", "-V"], text=True,
                             stdout=subprocess.PIPE, check=True).stdout
        return out.split()[-1]

    def does(self, work, store):
        if work == "verify" and not os.path.exists(
                f"{self.build}/repo-verify"):
            return False
        return super().does(work, store)


class PgBackRest(Tool):
    comms = ("pgbackrest",)

    def __init__(self, program, asynchronous, jobs):
        self.program, self.asynchronous = program, asynchronous
        self.jobs = jobs
        mode = "async" if asynchronous else "sync"
        self.key = f"pgbackrest-{self.version()}-{mode}"
        self.label = f"pgBackRest {self.version()} {mode}"
        self.note = f"zstd 1, AES-256-CBC, bundles, process-max {jobs}"
        self.looks_ahead = asynchronous
        # A backup is the same in both modes.
        self.has_backup = asynchronous

    def label_for(self, work):
        alike = work in ("backup", "restore", "verify")
        return f"pgBackRest {self.version()}" if alike else self.label

    def version(self):
        out = subprocess.run([self.program, "version"], text=True,
                             stdout=subprocess.PIPE, check=True).stdout
        return out.split()[-1]

    def configure(self):
        store, home = self.store, self.home
        for d in ("spool", "lock", "log"):
            os.makedirs(os.path.join(home, d), exist_ok=True)
        g = {"compress-type": "zst", "compress-level": 1, "process-max": self.jobs,
             "archive-async": "y" if self.asynchronous else "n",
             "spool-path": f"{home}/spool", "lock-path": f"{home}/lock",
             "log-path": f"{home}/log", "log-level-file": "off",
             "log-level-console": "warn", "start-fast": "y",
             "repo1-cipher-type": "aes-256-cbc",
             "repo1-cipher-pass": "only-for-the-bench", "repo1-bundle": "y"}
        if store.name == "file":
            g["repo1-path"] = store.where
        else:
            with open(store.env["S3_SECRET_FILE"], encoding="utf-8") as f:
                secret = f.read().strip()
            g.update({
                "repo1-type": "s3", "repo1-path": "/site",
                "repo1-s3-bucket": store.bucket,
                # It knows DNS names in certificates only.
                "repo1-s3-endpoint": "localhost",
                "repo1-storage-port": store.endpoint.rsplit(":", 1)[1],
                "repo1-s3-region": store.env["S3_REGION"],
                "repo1-s3-uri-style": "path",
                "repo1-storage-ca-file": store.env["S3_CA_FILE"],
                "repo1-s3-key": store.env["S3_ACCESS_KEY_ID"],
                "repo1-s3-key-secret": secret})
        text = "[global]\n" + "".join(f"{k}={v}\n" for k, v in g.items())
        text += f"\n[main]\npg1-path={self.data}\n"
        if self.server:
            text += (f"pg1-socket-path={self.world.sockets}\n"
                     f"pg1-port={self.server.port}\npg1-user=postgres\n")
        conf = self.write("pgbackrest.conf", text)
        self.command = (f'"{self.program}" --config="{conf}" --stanza=main')
        self.archive = f"{self.command} archive-push %p"
        self.restore = f'{self.command} archive-get %f "%p"'
        self.backup = f"exec {self.command} --type=full backup"
        self.verify = f"exec {self.command} verify"

    def create(self):
        self.world.reaper.run(
            ["sh", "-c", f"{self.command} --no-online stanza-create"])

    def restore_tree(self, target):
        return (f'mkdir -m 700 "{target}" && exec {self.command} '
                f'--pg1-path="{target}" --type=immediate restore')

    def does(self, work, store):
        newer = tuple(int(x) for x in re.findall(r"\d+", self.version()))
        if work == "verify" and newer < (2, 45):
            return False
        return super().does(work, store)


class Barman(Tool):
    key = "barman-cloud"
    note = ("gzip, as it has no zstd; not encrypted, as it cannot; 16 "
            "segments at most; backups in the first round only; no directory")
    comms = ("barman-cloud-wa", "barman-cloud-ba", "barman-cloud-re")
    stores = ("s3",)
    wal_limit = 16
    looks_ahead = False
    once = True

    def __init__(self):
        self.label = f"barman-cloud {self.version()}"

    def version(self):
        out = subprocess.run(["barman-cloud-wal-archive", "-V"], text=True,
                             stdout=subprocess.PIPE, check=True).stdout
        return out.split()[-1]

    def configure(self):
        store = self.store
        with open(store.env["S3_SECRET_FILE"], encoding="utf-8") as f:
            secret = f.read().strip()
        cred = self.write("credentials", (
            "[default]\n"
            f"aws_access_key_id = {store.env['S3_ACCESS_KEY_ID']}\n"
            f"aws_secret_access_key = {secret}\n"))
        self.env = (f'env AWS_SHARED_CREDENTIALS_FILE="{cred}" '
                    f"AWS_CA_BUNDLE=\"{store.env['S3_CA_FILE']}\" "
                    f"AWS_DEFAULT_REGION={store.env['S3_REGION']}")
        self.place = f"s3://{store.bucket}/site main"
        at = f"--endpoint-url {store.endpoint}"
        self.at = at
        self.archive = (f"{self.env} barman-cloud-wal-archive {at} -z "
                        f"{self.place} %p")
        self.restore = (f"{self.env} barman-cloud-wal-restore {at} "
                        f"{self.place} %f %p")
        if self.server:
            self.backup = (
                f"exec {self.env} barman-cloud-backup {at} -z -J 2 "
                f"--immediate-checkpoint -h {self.world.sockets} "
                f"-p {self.server.port} -U postgres {self.place}")

    def restore_tree(self, target):
        listed = json.loads(self.world.reaper.run(
            ["sh", "-c", f"{self.env} barman-cloud-backup-list {self.at} "
             f"--format json {self.place}"]))
        backup = listed["backups_list"][-1]["backup_id"]
        return (f'exec {self.env} barman-cloud-restore {self.at} '
                f'{self.place} {backup} "{target}"')

    def does(self, work, store):
        return work != "verify" and super().does(work, store)


class Copy(Tool):
    """No competitor: what the machine does at best when nobody compresses,
    encrypts or waits for the disk."""
    key = "cp"
    label = "cp (floor)"
    note = "no compression, encryption or fsync: the floor"
    comms = ("cp",)
    stores = ("file",)
    has_backup = looks_ahead = False

    def configure(self):
        self.archive = f'cp "%p" "{self.store.where}/%f"'
        self.restore = f'cp "{self.store.where}/%f" "%p"'


def found_pgbackrest():
    """Every different build in PATH."""
    seen = {}
    for d in os.environ["PATH"].split(":"):
        p = os.path.join(d, "pgbackrest")
        if os.access(p, os.X_OK):
            seen.setdefault(os.path.realpath(p), p)
    return list(seen.values())


def choose(build, peers, jobs):
    """The tools, and a line for each that was asked for but is not there."""
    tools, missing = [Pitrkit(build, jobs=jobs)], []
    helped = subprocess.run([f"{build}/basebackup-ship", "--help"], text=True,
                            stdout=subprocess.PIPE, check=True).stdout
    if re.search(r"--source.*files or stream", helped):
        tools.append(Pitrkit(build, "stream", jobs=jobs))
    if peers:
        tools.append(Copy())
    if "pgbackrest" in peers:
        programs = found_pgbackrest()
        for p in programs:
            tools += [PgBackRest(p, False, jobs or 2),
                      PgBackRest(p, True, jobs or 2)]
        if not programs:
            missing.append("pgbackrest is not installed (make bench installs "
                           "it): its rows are absent")
    if "barman" in peers:
        if shutil.which("barman-cloud-wal-archive"):
            tools.append(Barman())
        else:
            missing.append("barman-cloud is not installed (make bench "
                           "installs it): its rows are absent")
    if not os.path.exists(f"{PGBIN}/postgres"):
        raise Failed("PostgreSQL 15 is not installed (packaging/deps bench)")
    return tools, missing
