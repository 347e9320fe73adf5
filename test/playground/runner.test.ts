import { expect, test } from 'bun:test';
import { createRunner } from '../../src/playground/runner.ts';

function createLog() {
  const log: string[] = [];
  const runner = createRunner({
    onChange: (isRunning) => log.push(isRunning ? 'begin' : 'end'),
    onStopped: () => log.push('stopped'),
    onFailure: (error) => log.push(String(error)),
  });
  return { log, runner };
}

const untilAborted = (signal: AbortSignal): Promise<void> =>
  new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));

test('Runner runs one task at a time', async () => {
  const { log, runner } = createLog();
  const first = runner.run(async () => void (await Bun.sleep(5)));
  await runner.run(async () => void log.push('second'));
  await first;
  await runner.run(async () => void log.push('third'));
  expect(log).toEqual(['begin', 'end', 'begin', 'third', 'end']);
});

test('Runner.stop() ends the task and is no failure', async () => {
  const { log, runner } = createLog();
  const run = runner.run(untilAborted);
  expect(runner.isRunning).toBe(true);
  runner.stop();
  await run;
  expect(runner.isRunning).toBe(false);
  expect(log).toEqual(['begin', 'stopped', 'end']);
});

test('Runner tells of a failure', async () => {
  const { log, runner } = createLog();
  await runner.run(() => Promise.reject(new Error('why')));
  expect(log).toEqual(['begin', 'Error: why', 'end']);
});
