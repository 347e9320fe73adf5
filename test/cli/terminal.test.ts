import { describe, expect, test } from 'bun:test';
import { describeError, exitStatus } from '../../src/cli/errors.ts';
import { createProgress, formatDuration } from '../../src/cli/progress.ts';
import { createTerminal } from '../../src/cli/terminal.ts';
import { SdfpError } from '../../src/lib/errors.ts';

/** A stream that remembers. */
function recorder(isTTY = false): {
  write(text: string): boolean;
  text: string;
  isTTY: boolean;
  columns: number;
} {
  return {
    text: '',
    isTTY,
    columns: 60,
    write(text) {
      this.text += text;
      return true;
    },
  };
}

describe('createTerminal()', () => {
  test('prints results on stdout and notes on stderr', () => {
    const [stdout, stderr] = [recorder(), recorder()];
    const terminal = createTerminal({ stdout, stderr, environment: {} });
    terminal.write('a');
    terminal.writeJson({ b: [1] });
    terminal.note('c');
    expect([stdout.text, stderr.text]).toEqual(['a{"b":[1]}\n', 'c\n']);
  });

  test.each([
    [true, {}, '\x1b[1mx\x1b[22m'],
    [true, { NO_COLOR: '' }, '\x1b[1mx\x1b[22m'],
    [true, { NO_COLOR: '1' }, 'x'],
    [true, { NO_COLOR: 'yes' }, 'x'],
    [true, { TERM: 'dumb' }, 'x'],
    [false, {}, 'x'],
  ])('colours: terminal %p, environment %j', (isTTY, environment, painted) => {
    const terminal = createTerminal({ stdout: recorder(isTTY), stderr: recorder(), environment });
    expect(terminal.paint('bold', 'x')).toBe(painted);
  });
});

describe('createProgress()', () => {
  test('redraws one line on a terminal, with a bar and the time left', () => {
    const stream = recorder(true);
    let ms = 0;
    const progress = createProgress(stream, { isLive: true, now: () => ms });
    progress.start('calibrate');
    ms = 10;
    progress.update({ share: 0.01 });
    ms = 5000;
    progress.update({ share: 0.25, detail: 'error 0.1' });
    ms = 20000;
    progress.finish();
    expect(stream.text.split('\r\x1b[K').slice(1)).toEqual([
      'calibrate ...',
      'calibrate  [#####---------------] 25%  about 15 s left  err',
      'calibrate: done (20 s)\n',
    ]);
  });

  test('prints plain lines elsewhere, at most one in ten seconds', () => {
    const stream = recorder();
    let ms = 0;
    const progress = createProgress(stream, { isLive: false, now: () => ms });
    progress.start('score');
    for (ms = 1000; ms <= 25000; ms += 1000) progress.update({ share: ms / 50000, detail: `at ${ms}` });
    progress.start('write');
    progress.finish('3 files');
    progress.finish();
    expect(stream.text).toBe(
      'score ...\nscore  20%  about 40 s left  at 10000\nscore  40%  about 30 s left  at 20000\nscore: done (26 s)\nwrite ...\nwrite: 3 files (0 ms)\n',
    );
  });

  test.each([
    [850, '850 ms'],
    [12_400, '12 s'],
    [185_000, '3 min 5 s'],
    [59_900, '1 min 0 s'],
  ])('formatDuration(%p) is %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });
});

describe('describeError()', () => {
  test('is one line', () => {
    expect(describeError(new SdfpError('runtime_failed', 'Loading:\n  found x\n'))).toBe('Loading: found x');
  });

  test('marks what nobody expected', () => {
    expect(describeError(new TypeError('x is not a function'))).toBe(
      'x is not a function (unexpected; SDFP_DEBUG=1 shows where)',
    );
    expect(describeError(Object.assign(new Error('ENOSPC: no space left'), { syscall: 'write' }))).toBe(
      'ENOSPC: no space left',
    );
  });

  test('statuses tell kinds of failure apart', () => {
    const codes = [
      'invalid_request',
      'artifact_mismatch',
      'runtime_failed',
      'engine_busy',
      'internal',
    ] as const;
    expect(codes.map((code) => exitStatus(new SdfpError(code, '')))).toEqual([2, 3, 4, 5, 1]);
    expect(exitStatus(new Error('any'))).toBe(1);
  });
});
