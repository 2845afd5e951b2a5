#!/usr/bin/python3
"""Looks into the S3 server of the tests without any of pitrkit's own code.

  s3ctl.py CEPHDIR ready
  s3ctl.py CEPHDIR mkbucket BUCKET [plain|versioned|lock]
  s3ctl.py CEPHDIR list BUCKET [PREFIX]      lines: SIZE <tab> KEY
  s3ctl.py CEPHDIR versions BUCKET [PREFIX]  lines: version|marker SIZE ID
                                             latest|old KEY (tab-separated)
  s3ctl.py CEPHDIR classes BUCKET [PREFIX]   lines: STORAGE-CLASS <tab> KEY
  s3ctl.py CEPHDIR uploads BUCKET            unfinished multipart uploads: KEY
  s3ctl.py CEPHDIR begin BUCKET KEY          begins one, prints its id
  s3ctl.py CEPHDIR get BUCKET KEY FILE|-
  s3ctl.py CEPHDIR put BUCKET KEY FILE|-     (overwrites)
  s3ctl.py CEPHDIR delete BUCKET KEY [VERSION]
  s3ctl.py CEPHDIR head BUCKET KEY           lines: NAME: VALUE
  s3ctl.py CEPHDIR retention BUCKET KEY      lines: MODE <tab> UNTIL
  s3ctl.py CEPHDIR held BUCKET KEY...        legal holds: ON, OFF or none
  s3ctl.py CEPHDIR hold BUCKET KEY ON|OFF    sets it
  s3ctl.py CEPHDIR lock BUCKET KEY SECONDS   object lock, governance
  s3ctl.py CEPHDIR grant BUCKET USER read|write|append|keep|hide

CEPHDIR is the directory given to tests/servers/ceph start; its file env has
endpoint and credentials.  S3CTL_ACCESS and S3CTL_SECRET_FILE replace them,
S3CTL_ENDPOINT the endpoint (http only).

Exit status: 0 done; 1 the server said no (its status and code on stderr);
3 no such key or bucket (404); 2 wrong usage.
"""
import base64
import datetime
import hashlib
import hmac
import http.client
import json
import os
import re
import sys
import urllib.parse
import xml.etree.ElementTree as ET


class Refused(Exception):
    def __init__(self, status, what):
        super().__init__(what)
        self.status = status


def settings(cephdir):
    env = {}
    with open(os.path.join(cephdir, "env"), encoding="utf-8") as f:
        for line in f:
            name, _, value = line.strip().partition("=")
            env[name] = value.strip('"')
    env["S3_HTTP"] = os.environ.get("S3CTL_ENDPOINT", env["S3_HTTP"])
    env["S3_ACCESS_KEY_ID"] = os.environ.get(
        "S3CTL_ACCESS", env["S3_ACCESS_KEY_ID"])
    secret = os.environ.get("S3CTL_SECRET_FILE", env["S3_SECRET_FILE"])
    with open(secret, encoding="utf-8") as f:
        env["secret"] = f.read().strip()
    return env


class S3:
    def __init__(self, env):
        self.env = env
        self.host = urllib.parse.urlsplit(env["S3_HTTP"]).netloc
        self.conn = http.client.HTTPConnection(self.host, timeout=60)

    def sign(self, method, path, query, headers, digest):
        now = datetime.datetime.now(datetime.timezone.utc)
        stamp = now.strftime("%Y%m%dT%H%M%SZ")
        headers.update({"host": self.host, "x-amz-date": stamp,
                        "x-amz-content-sha256": digest})
        names = sorted(headers)
        canonical = "\n".join(
            [method, path, query]
            + [f"{n}:{headers[n]}" for n in names]
            + ["", ";".join(names), digest])
        scope = f"{stamp[:8]}/{self.env['S3_REGION']}/s3/aws4_request"
        text = "\n".join(["AWS4-HMAC-SHA256", stamp, scope,
                          hashlib.sha256(canonical.encode()).hexdigest()])
        key = ("AWS4" + self.env["secret"]).encode()
        for part in scope.split("/"):
            key = hmac.new(key, part.encode(), "sha256").digest()
        mac = hmac.new(key, text.encode(), "sha256").hexdigest()
        headers["authorization"] = (
            f"AWS4-HMAC-SHA256 Credential={self.env['S3_ACCESS_KEY_ID']}/"
            f"{scope}, SignedHeaders={';'.join(names)}, Signature={mac}")

    def call(self, method, bucket="", key="", query=None, body=b"",
             headers=None):
        path = "/" + urllib.parse.quote(bucket)
        if key:
            path += "/" + urllib.parse.quote(key, safe="/-._~")
        text = "&".join(
            f"{urllib.parse.quote(k, safe='-._~')}="
            f"{urllib.parse.quote(v, safe='-._~')}"
            for k, v in sorted((query or {}).items()))
        headers = dict(headers or {})
        self.sign(method, path, text, headers,
                  hashlib.sha256(body).hexdigest())
        self.conn.request(method, path + ("?" + text if text else ""),
                          body, headers)
        answer = self.conn.getresponse()
        data = answer.read()
        if answer.status >= 300:
            code = re.search(rb"<Code>([^<]*)", data)
            raise Refused(answer.status, f"{method} {path}: {answer.status} "
                          f"{code.group(1).decode() if code else ''}")
        return answer, data

    def pages(self, bucket, query, follow):
        """Every page of a listing; follow maps answer tags to query names."""
        while True:
            _, data = self.call("GET", bucket, query=query)
            root = ET.fromstring(re.sub(rb' xmlns="[^"]*"', b"", data, 1))
            yield root
            if root.findtext("IsTruncated") != "true":
                return
            for tag, name in follow.items():
                query[name] = root.findtext(tag) or ""

    def objects(self, bucket, prefix=""):
        for page in self.pages(bucket, {"list-type": "2", "prefix": prefix},
                               {"NextContinuationToken":
                                "continuation-token"}):
            for e in page.iter("Contents"):
                yield e.findtext("Key"), int(e.findtext("Size"))

    def versions(self, bucket, prefix=""):
        for page in self.pages(bucket, {"versions": "", "prefix": prefix},
                               {"NextKeyMarker": "key-marker",
                                "NextVersionIdMarker": "version-id-marker"}):
            for e in page:
                if e.tag in ("Version", "DeleteMarker"):
                    yield ("version" if e.tag == "Version" else "marker",
                           int(e.findtext("Size") or 0),
                           e.findtext("VersionId"),
                           e.findtext("IsLatest") == "true",
                           e.findtext("Key"))


def do_ready(s3):
    s3.call("GET")


def do_mkbucket(s3, bucket, kind="plain"):
    if kind not in ("plain", "versioned", "lock"):
        raise ValueError("plain, versioned or lock")
    lock = {"x-amz-bucket-object-lock-enabled": "true"}
    s3.call("PUT", bucket, headers=lock if kind == "lock" else {})
    if kind == "versioned":
        s3.call("PUT", bucket, query={"versioning": ""},
                body=b"<VersioningConfiguration><Status>Enabled</Status>"
                     b"</VersioningConfiguration>")


def do_list(s3, bucket, prefix=""):
    for key, size in s3.objects(bucket, prefix):
        print(size, key, sep="\t")


def do_versions(s3, bucket, prefix=""):
    for kind, size, ident, latest, key in s3.versions(bucket, prefix):
        print(kind, size, ident, "latest" if latest else "old", key,
              sep="\t")


def do_classes(s3, bucket, prefix=""):
    for page in s3.pages(bucket, {"list-type": "2", "prefix": prefix},
                         {"NextContinuationToken": "continuation-token"}):
        for e in page.iter("Contents"):
            print(e.findtext("StorageClass"), e.findtext("Key"), sep="\t")


def do_uploads(s3, bucket):
    for page in s3.pages(bucket, {"uploads": ""},
                         {"NextKeyMarker": "key-marker",
                          "NextUploadIdMarker": "upload-id-marker"}):
        for e in page.iter("Upload"):
            print(e.findtext("Key"))


def do_begin(s3, bucket, key):
    _, data = s3.call("POST", bucket, key, query={"uploads": ""})
    root = ET.fromstring(re.sub(rb' xmlns="[^"]*"', b"", data, 1))
    print(root.findtext("UploadId"))


def do_get(s3, bucket, key, dest):
    _, data = s3.call("GET", bucket, key)
    if dest == "-":
        sys.stdout.buffer.write(data)
    else:
        with open(dest, "wb") as f:
            f.write(data)


def do_put(s3, bucket, key, source):
    if source == "-":
        data = sys.stdin.buffer.read()
    else:
        with open(source, "rb") as f:
            data = f.read()
    s3.call("PUT", bucket, key, body=data, headers={
        "content-md5": base64.b64encode(
            hashlib.md5(data).digest()).decode()})


def do_delete(s3, bucket, key, version=None):
    s3.call("DELETE", bucket, key,
            query={"versionId": version} if version else None)


def do_head(s3, bucket, key):
    answer, _ = s3.call("HEAD", bucket, key)
    for name, value in answer.getheaders():
        print(f"{name.lower()}: {value}")


def do_retention(s3, bucket, key):
    _, data = s3.call("GET", bucket, key, query={"retention": ""})
    root = ET.fromstring(re.sub(rb' xmlns="[^"]*"', b"", data, 1))
    print(root.findtext("Mode"), root.findtext("RetainUntilDate"), sep="\t")


def do_held(s3, bucket, *keys):
    for key in keys:
        try:
            _, data = s3.call("GET", bucket, key, query={"legal-hold": ""})
        except Refused as e:
            if "ObjectLockConfiguration" not in str(e):
                raise
            print("none")
            continue
        root = ET.fromstring(re.sub(rb' xmlns="[^"]*"', b"", data, 1))
        print(root.findtext("Status"))


def do_hold(s3, bucket, key, status):
    body = f"<LegalHold><Status>{status}</Status></LegalHold>".encode()
    s3.call("PUT", bucket, key, query={"legal-hold": ""}, body=body,
            headers={"content-md5": base64.b64encode(
                hashlib.md5(body).digest()).decode()})


def do_lock(s3, bucket, key, seconds):
    until = datetime.datetime.now(datetime.timezone.utc) + \
        datetime.timedelta(seconds=int(seconds))
    body = ("<Retention><Mode>GOVERNANCE</Mode><RetainUntilDate>"
            + until.strftime("%Y-%m-%dT%H:%M:%SZ")
            + "</RetainUntilDate></Retention>").encode()
    s3.call("PUT", bucket, key, query={"retention": ""}, body=body,
            headers={"content-md5": base64.b64encode(
                hashlib.md5(body).digest()).decode()})


def do_grant(s3, bucket, user, rights):
    read = ["s3:GetObject", "s3:GetObjectVersion"]
    look = ["s3:ListBucket", "s3:ListBucketVersions"]
    versions = [*look, "s3:GetBucketVersioning"]
    objects, onbucket = {
        "read": (read, look),
        "write": (["s3:*"], ["s3:*"]),
        "append": (["s3:PutObject", "s3:AbortMultipartUpload"], look),
        "keep": ([*read, "s3:PutObject"], versions),
        "hide": ([*read, "s3:PutObject", "s3:DeleteObject"], versions),
    }[rights]
    who = "*" if user == "*" else {
        "AWS": [f"arn:aws:iam:::user/{user}"]}
    policy = {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": who, "Action": objects,
         "Resource": [f"arn:aws:s3:::{bucket}/*"]},
        {"Effect": "Allow", "Principal": who, "Action": onbucket,
         "Resource": [f"arn:aws:s3:::{bucket}"]}]}
    s3.call("PUT", bucket, query={"policy": ""},
            body=json.dumps(policy).encode())


def main(argv):
    verbs = {n[3:]: f for n, f in globals().items() if n.startswith("do_")}
    if len(argv) < 3 or argv[2] not in verbs:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        verbs[argv[2]](S3(settings(argv[1])), *argv[3:])
    except Refused as e:
        print(f"s3ctl: {e}", file=sys.stderr)
        return 3 if e.status == 404 else 1
    except OSError as e:
        print(f"s3ctl: {e}", file=sys.stderr)
        return 1
    except (TypeError, ValueError, KeyError) as e:
        print(f"s3ctl: {argv[2]}: {e}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
