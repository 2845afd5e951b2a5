#!/bin/sh
# The manual is well formed, complete and true: every command has its page,
# every option that --help shows stands in it and the other way round, and so
# do the settings.
. "$(dirname "$0")/../lib/pitrkit.sh"
. "$TOP/tests/lint/lint.sh"

for page in man/*; do
	ok "mandoc has nothing to say about $page" \
		mandoc -Tlint -W warning "$page"
done

# The options of a page: the items of its lists that begin with Fl.
page_options() {
	sed -n 's/^\.It \(Fl .*\)/\1/p' "$1" | tr ' ' '\n' |
		awk 'last == "Fl" { print "-" $0 } { last = $0 }' | sort -u
}
help_options() {
	"$1" --help | sed -n 's/^  *\(-[^ ].*\)/\1/p' |
		sed 's/\(-., \)\{0,1\}\(--[^ ]*\).*/\1\n\2/' |
		sed 's/, $//; /^$/d' | sort -u
}
# A NAME-worker is what NAME becomes, with the same options and page.
for c in $(make_show '$(CMDS)' | tr ' ' '\n' | sed 's/-worker$//' | sort -u); do
	page=man/$c.1
	[ -e "$page" ] || page=man/$c.8
	ok "$c has a manual page" test -e "$page" || continue
	like "... which says what its exit status means" "$(cat "$page")" \
		'^\.Sh EXIT STATUS'
	help_options "$c" >"$T/help"
	atleast "$c --help shows options" "$(wc -l <"$T/help")" 10
	is "$page and $c --help know the same options" \
		"$(page_options "$page")" "$(cat "$T/help")"
	is "... whose lines have at most 80 columns, in columns" \
		"$("$c" --help | sed 1d | grep -E \
			'^.{81}|^ .{29}[^ ]|^[[:upper:]]|^[^ ].*\.$')" ""
done

is "pitrkit.conf(5) has every setting that is read, and no other" \
	"$(sed -n 's/^\.It Cm \([a-z_]*\) No =.*/\1/p' \
		man/pitrkit.conf.5 | sort)" \
	"$(sed -n 's/^    {"\([a-z_]*\)", FORM.*/\1/p' \
		lib/conf/conf_key.c | sort)"
atleast "... which are some" "$(grep -c '", FORM' lib/conf/conf_key.c)" 20

is "no page sends the reader to a page of ours that is not there" "$(
	sed -n 's/^\.Xr \([^ ]*\) \([1-8]\).*/\1.\2/p' man/* | sort -u |
		grep -E '^(pitr|wal|repo-|basebackup-|retention-|restore-|audit-|failover-)' |
		while read -r p; do [ -e "man/$p" ] || echo "$p"; done)" ""

done_testing
