#!/bin/sh
# The bench measures what it says and writes JSON and SVG that others can read.
. "$(dirname "$0")/../lib/pitrkit.sh"

s3_start
PITRKIT_CEPH_DIR=$S3_DIR
export PITRKIT_CEPH_DIR

ok "two kinds of work on both stores are measured" \
	"$TOP/tests/bench/run" --quick --rounds 1 --peers '' \
	--only '(lone|fetch)/.*/pitrkit$' --out "$T/bench"
like "the table is there" "$(cat "$T/out")" '^\| S3 +\| pitrkit '

cat >"$T/check.py" <<'PY'
import json, sys, xml.etree.ElementTree as ET
found = json.load(open(sys.argv[1] + "/result.json", encoding="utf-8"))
rows = {(r["work"], r["store"]): r for r in found["rows"]}
assert sorted(rows) == [("fetch", "file"), ("fetch", "s3"),
                        ("lone", "file"), ("lone", "s3")], rows
assert not found["failures"]
for r in rows.values():
    assert 0 < r["least"] <= r["median"] <= r["most"], r
    assert r["client_cpu"] > 0 and r["peak_kb"] > 1000, r
svg = ET.parse(sys.argv[1] + "/chart.svg").getroot()
space = "{http://www.w3.org/2000/svg}"
assert svg.tag == space + "svg"
assert len(svg.findall(space + "rect")) == 1 + len(rows)
PY
ok "the JSON has a row for each, the chart a bar" \
	"$PYTHON" "$T/check.py" "$T/bench"
exits 2 "an unknown store is refused" "$TOP/tests/bench/run" \
	--store tape --out "$T/no"

done_testing
