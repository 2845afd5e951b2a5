"""Runs one test for tests/run, which gives it to prove as the program that
runs tests (prove -e).

    one.py FILE

What the test prints goes on to prove as it comes, and into a log. Of a test that
failed the log's essence is told at once on standard error: which tests of the
file, with the comments behind each, how it ended, its last lines. In the
directory $PITRKIT_RESULTS are then, for tests/run to tell again at the end:
NAME.result (seconds, passed, failed, path), NAME.failed (what was told) and
NAME.skipped (a line for each thing that could not be tested, and why).

A test that cannot run says so as TAP has it (# SKIP). That is a failure where
CI is set to anything but "false": nobody is there who would notice. Elsewhere
it is told at once and at the end.
"""
import os
import re
import selectors
import subprocess
import sys
import time

LAST_LINES = 60
COMMENTS = 40  # lines shown behind one failed test
WIDTH = 400  # of which so much is shown
SHOWN = 20  # failed tests shown of one file

SKIP_ALL = re.compile(r'1\.\.0\b.*?#\s*skip\S*\s*(.*)', re.I)
# cmocka writes "not ok" before it.
SKIP_ONE = re.compile(r'(?:not )?ok\s+(\d+)\s*(.*?)\s*#\s*skip\S*\s*(.*)', re.I)
PLAN = re.compile(r'1\.\.(\d+)')
RESULT = re.compile(r'(not )?ok\b(?!.*#\s*(?:todo)\b)', re.I)


class Results:
    """What the lines of one test say."""

    def __init__(self, strict):
        self.strict = strict
        self.plan = None
        self.seen = 0
        self.passed = 0
        self.failed = []  # a list of lines for each
        self.skipped = []
        self.notes = []
        self.open = None  # the failed test whose comments come now

    def line(self, text):
        """Takes a line of standard output; returns what prove gets of it."""
        skip_all, skip_one = SKIP_ALL.match(text), SKIP_ONE.match(text)
        plan = PLAN.match(text)
        if plan:
            self.plan = int(plan.group(1))
        elif re.match(r'(not )?ok\b', text):
            self.seen += 1
        if skip_all:
            self.skipped.append(skip_all.group(1))
            if self.strict:
                text = '1..1\nnot ok 1 - cannot run: ' + skip_all.group(1)
                self.failed.append([text[5:]])
        elif skip_one:
            number, name, reason = skip_one.groups()
            self.skipped.append(f'{name or number}: {reason}')
            if self.strict:
                text = f'not ok {number} {name}: cannot run: {reason}'
                self.failed.append([text])
        elif RESULT.match(text):
            self.open = None
            if text.startswith('ok'):
                self.passed += 1
            else:
                self.open = [text]
                self.failed.append(self.open)
        elif text.startswith('Bail out!'):
            # That of one file is no reason to run no other.
            self.notes.append(text)
            text = '# ' + text
        elif self.open is not None and len(self.open) <= COMMENTS:
            self.open.append('    ' + text)
        return text


def follow(command, results, log):
    """Runs it, passes on and logs what it prints; returns its status."""
    # A line at a time, so that what comes from both is not mixed up in one.
    p = subprocess.Popen(command, stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE)
    rest = {p.stdout: b'', p.stderr: b''}
    with selectors.DefaultSelector() as ready:
        for pipe in rest:
            ready.register(pipe, selectors.EVENT_READ)
        while ready.get_map():
            for key, _ in ready.select():
                pipe = key.fileobj
                data = os.read(pipe.fileno(), 65536)
                *lines, rest[pipe] = (rest[pipe] + data).split(b'\n')
                if not data:
                    ready.unregister(pipe)
                    lines = [rest[pipe]] if rest[pipe] else []
                for line in lines:
                    text = line.decode(errors='replace')
                    log.append(text)
                    del log[:-LAST_LINES]
                    if pipe is p.stdout:
                        print(results.line(text), flush=True)
                    else:
                        print(text, file=sys.stderr, flush=True)
    return p.wait()


def report(name, status, results, log):
    """What there is to know of a failed test, as lines."""
    lines = [f'FAILED: {name}']
    for test in results.failed[:SHOWN]:
        lines += ['  ' + text for text in test]
    if len(results.failed) > SHOWN:
        lines.append(f'  ... and {len(results.failed) - SHOWN} more')
    lines += ['  ' + text for text in results.notes]
    if status < 0:
        lines.append(f'  ended by signal {-status}')
    elif status > 1 or not results.failed:
        lines.append(f'  ended with exit status {status}')
    lines.append('  its last lines:')
    return [text[:WIDTH] for text in lines + ['  | ' + text for text in log]]


def save(name, lines):
    """Into a file beside the other results."""
    path = os.path.join(os.environ['PITRKIT_RESULTS'],
                        name.replace('/', '_'))
    with open(path, 'w', encoding='utf-8') as f:
        f.write(''.join(text + '\n' for text in lines))
    os.chmod(path, 0o644)


def main():
    """One test."""
    path = os.path.abspath(sys.argv[1])
    name = re.sub('.*/tests/', '', path)
    results = Results(os.environ.get('CI', 'false') not in ('', 'false'))
    log = []
    begin = time.monotonic()
    try:
        status = follow([path], results, log)
    except BrokenPipeError:  # prove has been ended
        os._exit(1)
    except OSError as e:
        results.notes.append(str(e))
        status = 127
    seconds = time.monotonic() - begin
    if results.seen != results.plan:
        results.notes.append(f'ran {results.seen} of {results.plan} tests')
    ok = status == 0 and not results.failed and not results.notes
    save(name + '.result', [f'{seconds:.1f} {results.passed} '
                            f'{len(results.failed) or int(not ok)} {name}'])
    told = []
    if results.skipped:
        told += [f'NOT TESTED: {name}: {why}' for why in results.skipped]
        save(name + '.skipped', told)
    if not ok:
        lines = report(name, status, results, log)
        save(name + '.failed', lines)
        told += lines
    if told:
        print('\n'.join(told), file=sys.stderr, flush=True)
    if ok or status > 0:
        return status
    return 1 if status == 0 else 128 - status


sys.exit(main())
