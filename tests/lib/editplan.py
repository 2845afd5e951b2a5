#!/usr/bin/python3
"""Edits a plan of retention-prune and gives it the sum that it then has.

	editplan.py PLAN NEW EXPRESSION

EXPRESSION makes of each line, a dictionary, the one that is written, or a list
of those.
"""
import hashlib
import json
import sys


def main():
    plan, new, expression = sys.argv[1:]
    edit = eval('lambda line: ' + expression)
    text, total, sums = '', bytes(32), [0, 0]
    with open(plan, encoding='utf-8') as f:
        lines = [json.loads(x) for x in f]

    def dump(line):
        return json.dumps(line, sort_keys=True, separators=(',', ':')) + '\n'

    for line in lines[:-1]:
        made = edit(line)
        for x in made if isinstance(made, list) else [made]:
            text += dump(x)
            total = hashlib.sha256(total + dump(x).encode()).digest()
            if x['line'] == 'delete':
                sums = [sums[0] + 1, sums[1] + x['size']]
    text += dump(dict(lines[-1], objects=sums[0], bytes=sums[1],
                      sum=total.hex()))
    with open(new, 'w', encoding='utf-8') as f:
        f.write(text)


if __name__ == '__main__':
    main()
