#!/bin/sh
# pitrkit-format(5) and the programs say the same: objects of every kind are
# opened by a decoder that was written from the page alone, and objects that
# were made from the page, each against one of its rules, are refused.
. "$(dirname "$0")/../lib/pitrkit.sh"

object=$BUILD/tests/tools/object
decode() {
	"$PYTHON" "$TOP/tests/lib/decode.py" --cluster main --system-id "$@"
}

"$object" key >"$T/key" && "$object" key >"$T/other" || bail "no keys"
"$object" recipient -k "$T/key" >"$T/recipient" || bail "no recipient"
: >"$T/0"
printf x >"$T/1"
head -c 3000000 /dev/zero | tr '\0' z >"$T/2"
head -c 1048576 /dev/urandom >"$T/3"
cat "$T/2" "$T/3" "$T/2" >"$T/4"

kind=1
while [ $kind -le 12 ]; do
	in=$T/$((kind % 5))
	id=7300000000000000$kind
	meta=00ff$kind$kind
	"$object" seal -k "$T/key" -s $id -t $kind -n "a/b $kind" -m $meta \
		<"$in" >"$T/object" || bail "kind $kind is not sealed"
	decode $id --kind $kind --name "a/b $kind" --key "$T/key" \
		"$T/object" >"$T/back"
	same "kind $kind: the decoder gives the content" "$T/back" "$in"
	is "kind $kind: and the meta" "$(decode $id --kind $kind \
		--name "a/b $kind" --key "$T/key" --meta "$T/object")" $meta
	kind=$((kind + 1))
done

# The same in other forms: SEAL-OPTIONS / keys of the decoder.
form() {
	name=$1 keys=$2
	shift 2
	"$object" seal -s 1 -t 5 -n pack "$@" <"$T/4" >"$T/object" ||
		bail "$name: not sealed"
	# shellcheck disable=SC2086
	decode 1 --kind 5 --name pack $keys "$T/object" >"$T/back"
	same "$name" "$T/back" "$T/4"
}
form "encryption off" ""
form "no compression" "--key $T/key" -k "$T/key" -z
form "no fingerprint" "--key $T/key" -k "$T/key" -f
form "small chunks" "--key $T/key" -k "$T/key" -b 65521
form "the largest chunks" "--key $T/key" -k "$T/key" -b 4194304
form "sealed by a recipient" "--key $T/key" -k "$T/recipient"
form "two recipients, the first" "--key $T/key" -k "$T/key" -k "$T/other"
form "two recipients, the second" "--key $T/other" -k "$T/key" -k "$T/other"

# The decoder is no rubber stamp.
"$object" seal -k "$T/key" -n name <"$T/1" >"$T/object" || bail "not sealed"
ok "the decoder opens it" \
	decode 1 --kind 1 --name name --key "$T/key" "$T/object"
nok "not under another name" \
	decode 1 --kind 1 --name other --key "$T/key" "$T/object"
nok "not as another kind" \
	decode 1 --kind 2 --name name --key "$T/key" "$T/object"
nok "not of another system id" \
	decode 2 --kind 1 --name name --key "$T/key" "$T/object"
nok "not with another key" \
	decode 1 --kind 1 --name name --key "$T/other" "$T/object"
nok "not with the recipient part" \
	decode 1 --kind 1 --name name --key "$T/recipient" "$T/object"
nok "not without a key" decode 1 --kind 1 --name name "$T/object"
head -c -1 "$T/object" >"$T/cut"
nok "not cut" decode 1 --kind 1 --name name --key "$T/key" "$T/cut"

# What is made from the page opens; what breaks a rule of it does not, though
# all of it authenticates (encryption is off).
mkdir "$T/forged" && "$PYTHON" "$TOP/tests/lib/forge.py" "$T/forged" ||
	bail "nothing is forged"
open_it() {
	"$object" open <"$T/forged/$1"
}
ok "an object made from the page opens" open_it two-chunks
is "its content comes out" "$(wc -c <"$T/out")" 3005
is "its meta comes out" "$(cat "$T/err")" 6d657461
ok "one without content opens" open_it no-content
for rule in "$T"/forged/*; do
	rule=${rule##*/}
	case $rule in two-chunks | no-content) continue ;; esac
	exits 5 "refused: $rule" open_it "$rule"
done
done_testing
