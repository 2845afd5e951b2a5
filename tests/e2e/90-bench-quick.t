#!/bin/sh
# The bench measures what it says and writes JSON and SVG that others can read.
. "$(dirname "$0")/../lib/pitrkit.sh"

s3_start
PITRKIT_CEPH_DIR=$S3_DIR
export PITRKIT_CEPH_DIR

ok "two kinds of work on both stores are measured" \
	"$TOP/tests/bench/run" --quick --rounds 1 --peers none \
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
ok "the scaling series is measured" "$TOP/tests/bench/run" --scale --quick \
	--rounds 1 --scale-sizes 0.03,0.04 --out "$T/scale" --only \
	'sizes-backup|files-(backup|restore|floor)|drain/s3|plan'
like "its table is there" "$(cat "$T/out")" \
	'^\| S3 +\| 4 .* x \|'
cat >"$T/check-scale.py" <<'PY'
import json, sys
found = json.load(open(sys.argv[1] + "/scaling.json", encoding="utf-8"))
rows = {}
for r in found["rows"]:
    rows.setdefault((r["work"], r["store"]), []).append(r)
assert sorted(rows) == [
    ("files-backup", "file"), ("files-floor", "file"),
    ("files-restore", "file"), ("jobs-drain", "s3"),
    ("objects-plan", "file"), ("sizes-backup", "file")], rows
assert not found["failures"]
of = {"files": 1000, "objects": 1000}
for (work, _), steps in rows.items():
    series = work.split("-")[0]
    assert [r["step"] for r in steps] == found["steps"][series], steps
    for r in steps:
        # A cluster is as large as the step says, give or take a table.
        if series != "jobs":
            assert 0.9 < r["units"] / r["step"] < 1.2, r
        for what in ("wall", "client_cpu"):
            unit = r[what] * of.get(series, 1) / r["units"]
            assert unit > 0 and abs(r[what + "_per_unit"] / unit - 1) < 1e-6, r
            ratio = unit / steps[0][what + "_per_unit"]
            assert abs(r[what + "_ratio"] / ratio - 1) < 1e-6, r
        assert r["peak_kb"] > 1000, r
PY
ok "the JSON has each step, with the cost of a unit and its ratio" \
	"$PYTHON" "$T/check-scale.py" "$T/scale"
exits 2 "a work that there is not is refused" "$TOP/tests/bench/run" \
	--peers none --only nothing-like-it --out "$T/no"
like "... and it says what there is" "$(cat "$T/err")" \
	"WORK is drain, .* TOOL pitrkit"
exits 2 "... and of the scaling series" "$TOP/tests/bench/run" \
	--scale --only lone --out "$T/no"
exits 1 "without room for it, nothing is begun" "$TOP/tests/bench/run" \
	--scale --scale-sizes 1000000 --out "$T/no"
like "... and it says what it needs" "$(cat "$T/err")" \
	"[0-9]+ GB and [0-9]+ files are needed"
exits 2 "an unknown store is refused" "$TOP/tests/bench/run" \
	--store tape --out "$T/no"

done_testing
